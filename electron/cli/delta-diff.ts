import { type Command, InvalidArgumentError } from 'commander';
import type { ImageDiff, PartsReport } from '../../shared/domain/image-diff.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import { hexAddress } from '../../shared/formats/report.ts';
import { visibleText } from '../../shared/report/visible-text.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

const shownRows = 20;

interface DiffOptions {
  readonly product?: string;
  readonly component?: string;
  readonly address?: number;
  readonly sectorBytes?: number;
  readonly oldElf?: string;
  readonly newElf?: string;
}

/** `slipway delta diff` */
export function diffCommand(delta: Command): void {
  delta
    .command('diff <old> <new>')
    .description('compare two images over their address space: raw, S-record, Intel HEX or ELF')
    .option('--product <id>', 'product of the workspace whose memory map counts')
    .option('--component <id>', 'component of the product; the first one if left out')
    .option('--address <n>', 'where an image without addresses begins, 0x… or decimal', whole)
    .option('--sector-bytes <n>', 'unit of erasing; 4096 if nothing says it', whole)
    .option('--old-elf <file>', 'ELF file of the old image, for sections and symbols')
    .option('--new-elf <file>', 'ELF file of the new image')
    .action((old: string, newer: string, options: DiffOptions, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const { product, component, address, sectorBytes, oldElf, newElf } = options;
        const { report } = await studio.ask('delta.diff', {
          old: { file: old, ...(oldElf && { elf: oldElf }) },
          new: { file: newer, ...(newElf && { elf: newElf }) },
          ...(product && { productId: product }),
          ...(component && { componentId: component }),
          ...(address !== undefined && { address }),
          ...(sectorBytes !== undefined && { sectorBytes }),
        });
        printResult(json, report, () => diffText(report));
        return 0;
      }),
    );
}

function diffText(report: ImageDiff): string {
  const { totals, sectors } = report;
  const differing = totals.changedBytes + totals.addedBytes + totals.removedBytes;
  return [
    imageText('old', report.old),
    imageText('new', report.new),
    differing === 0
      ? `The images are the same: ${totals.sameBytes} bytes.`
      : `${totals.changedBytes} bytes changed, ${totals.addedBytes} added, ${totals.removedBytes} removed, ${totals.sameBytes} the same, in ${report.runs.total} runs`,
    `${sectors.touched} of ${sectors.total} sectors of ${sectors.sizeBytes} bytes touched (${sectorsFrom[sectors.from]})`,
    ...sectors.regions.map(
      ({ name, total, touched, changedBytes }) =>
        `  ${name}: ${touched} of ${total} sectors, ${changedBytes} bytes`,
    ),
    ...runsText(report),
    ...partsText('Sections', report.sections),
    ...partsText('Symbols', report.symbols),
  ].join('\n');
}

const sectorsFrom: Record<ImageDiff['sectors']['from'], string> = {
  given: 'as given',
  component: 'as slipway.yaml says',
  assumed: 'assumed: nothing says the unit of erasing',
};

const placedWords: Record<ImageDiff['old']['placed'], string> = {
  file: 'at its own addresses',
  given: 'at the given address',
  'memory-map': 'from the start of its memory region',
  offset: 'by its offsets',
};

function imageText(side: string, image: ImageDiff['old']): string {
  const { name, format, contentBytes, placed } = image;
  return `${side}: ${visibleText(name)}, ${format}, ${byteText(contentBytes)} ${placedWords[placed]}`;
}

function runsText({ runs }: ImageDiff): string[] {
  if (runs.listed.length === 0) return [];
  const joined =
    runs.joinedBytes > 0 ? `; runs no further apart than ${runs.joinedBytes} bytes are one` : '';
  const rows = runs.listed
    .slice(0, shownRows)
    .map(({ start, sizeBytes, kind, changedBytes, place }) => [
      hexAddress(start),
      hexAddress(start + sizeBytes - 1),
      kind,
      kind === 'mixed' || changedBytes < sizeBytes
        ? `${changedBytes} of ${sizeBytes}`
        : String(sizeBytes),
      visibleText(place ?? ''),
    ]);
  return [
    `Runs${joined}:`,
    ...table(['from', 'to', 'what', 'bytes', 'place'], rows),
    ...more(runs.listed.length),
  ];
}

function partsText(title: string, parts: PartsReport | null): string[] {
  if (!parts) return [];
  const { counts, listed } = parts;
  const summary = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
  const address = (value: number | null): string => (value === null ? '' : hexAddress(value));
  const rows = listed
    .slice(0, shownRows)
    .map((part) => [
      part.state,
      part.sizeChangeBytes > 0 ? `+${part.sizeChangeBytes}` : String(part.sizeChangeBytes),
      String(part.changedBytes),
      address(part.oldAddress),
      address(part.newAddress),
      visibleText(part.name),
    ]);
  return [
    `${title}: ${summary || 'none'}`,
    ...(rows.length > 0
      ? table(['what', 'size', 'changed', 'old address', 'new address', 'name'], rows)
      : []),
    ...more(listed.length + parts.notListed),
  ];
}

const more = (count: number): string[] =>
  count > shownRows ? [`  and ${count - shownRows} more, all listed with --json`] : [];

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows].map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}

function whole(text: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('a whole number is wanted, decimal or 0x…');
}
