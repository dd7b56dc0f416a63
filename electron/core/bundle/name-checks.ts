import { maxFileSizeBytes } from '../../../shared/domain/limits.ts';
import type { Report } from '../../../shared/formats/report.ts';
import { contradiction, isAllowedType } from './file-types.ts';
import type { FindingList } from './finding-list.ts';

const largeFileBytes = 100_000_000;

/** Checks what can be said about a file before its inside: its extension, its size, and whether the two agree with the format. */
export function checkNameAndSize(
  name: string,
  format: string,
  sizeBytes: number,
  fileTypes: readonly string[],
  findings: FindingList,
): void {
  if (!isAllowedType(name, fileTypes)) {
    findings.add('file.type-not-allowed', `"${name}" has none of the allowed extensions`, {
      expected: fileTypes.join(' '),
      found: name,
    });
  }
  if (sizeBytes === 0) findings.add('file.empty', `"${name}" has 0 bytes`);
  if (sizeBytes > maxFileSizeBytes) {
    findings.add('file.too-large', `"${name}": only its SHA-256 was computed`, {
      expected: `at most ${maxFileSizeBytes} bytes`,
      found: `${sizeBytes} bytes`,
    });
  } else if (sizeBytes > largeFileBytes) {
    findings.add('file.large', `"${name}" has ${sizeBytes} bytes`, {
      expected: `at most ${largeFileBytes} bytes`,
      found: `${sizeBytes} bytes`,
    });
  }
  const promised = sizeBytes === 0 ? null : contradiction(name, format);
  if (promised !== null) {
    findings.add(
      'file.type-mismatch',
      `"${name}" should be ${promised}, its content is ${format}`,
      { offset: 0, expected: promised, found: format },
    );
  }
}

/** Parts that are useless alone: the minimum-system upgrade of modules downloads two files. */
const fewestParts: Readonly<Record<string, number>> = { mini: 2 };

/** Tells numbered parts (.bin_1, .bin_2, .mini_1 …) of which one is missing, at the highest one that is there. */
export function checkParts(
  files: readonly { readonly name: string; readonly report: Report }[],
): void {
  const kinds = new Map<string, Map<number, (typeof files)[number]>>();
  for (const file of files) {
    const [, kind = '', number = ''] = /\.(bin|mini)_(\d{1,4})$/i.exec(file.name) ?? [];
    if (kind === '') continue;
    const parts = kinds.get(kind.toLowerCase()) ?? new Map<number, (typeof files)[number]>();
    kinds.set(kind.toLowerCase(), parts.set(Number(number), file));
  }
  for (const [kind, parts] of kinds) {
    const highest = Math.max(...parts.keys());
    const count = Math.max(highest, fewestParts[kind] ?? 1);
    const missing = Array.from({ length: count }, (_, index) => index + 1).filter(
      (number) => !parts.has(number),
    );
    const last = parts.get(highest);
    if (missing.length === 0 || last === undefined) continue;
    const names = missing.slice(0, 5).map((number) => `.${kind}_${number}`);
    last.report('package.part-missing', `"${last.name}" is there without ${names.join(', ')}`, {
      expected: `.${kind}_1 to .${kind}_${count}`,
      found: last.name,
    });
  }
}
