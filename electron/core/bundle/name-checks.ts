import { maxFileSizeBytes } from '../../../shared/domain/limits.ts';
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
