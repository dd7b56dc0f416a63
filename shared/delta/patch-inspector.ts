import type { PatchReport } from '../domain/delta.ts';
import { movedSegments } from '../domain/delta-cost.ts';
import { offsetBytes } from '../formats/bsdiff-offsets.ts';
import { type BsdiffHeader, readBsdiffHeader, readBsdiffSteps } from './bsdiff-reader.ts';
import { type DetoolsHeader, readDetoolsHeader, sizeBytes } from './detools-format.ts';
import { readDetoolsSteps } from './detools-reader.ts';
import { type HdiffHeader, type PatchPart, readHdiffHeader } from './hdiff-format.ts';
import { readHdiffSteps } from './hdiff-reader.ts';
import { type HpatchLiteHeader, readHpatchLiteHeader } from './hpatchlite-format.ts';
import { HpatchLiteBody } from './hpatchlite-reader.ts';
import { inPlaceSteps } from './in-place-device.ts';
import { readPatchHead } from './patch-head.ts';
import type { PatchStep } from './patch-steps.ts';
import { readInstructions, readVcdiffWindows } from './vcdiff-reader.ts';

type Operations = { -readonly [K in keyof PatchReport['operations']]: number };
type Body = Pick<PatchReport, 'operations' | 'parts'>;

/**
 * Explains a patch without its source: it is decoded to its end.
 * @throws ProblemError `patch-format` | `patch-corrupt` | `patch-unsupported`
 */
export function inspectPatch(patch: Uint8Array): PatchReport {
  const head = readPatchHead(patch);
  const bsdiff = readBsdiffHeader(patch);
  if (bsdiff) return { ...head, ...inspectBsdiff(patch, bsdiff) };
  if (head.format === 'vcdiff') return { ...head, ...inspectVcdiff(patch) };
  const hdiff = readHdiffHeader(patch);
  if (hdiff) return { ...head, ...inspectHdiff(patch, hdiff) };
  const lite = readHpatchLiteHeader(patch);
  if (lite) return { ...head, ...inspectHpatchLite(patch, lite) };
  const detools = readDetoolsHeader(patch);
  if (!detools) throw new Error('a patch of a known format has no header');
  const { operations, parts } = inspectDetools(patch, detools);
  return { ...head, operations: { ...operations, moves: movedSegments(head) }, parts };
}

type Part = Body['parts'][number];

const stored = (name: string, sizeBytes: number): Part => ({
  name,
  sizeBytes,
  plainSizeBytes: null,
  contents: [],
});

/** A compressed stream that holds the numbers of the operations, the differences and the insertions by turns. */
function mixed(
  name: string,
  streamBytes: number,
  numbersBytes: number,
  { copiedBytes, insertedBytes }: Operations,
): Part {
  const contents = [
    { name: 'numbers', sizeBytes: numbersBytes },
    { name: 'differences', sizeBytes: copiedBytes },
    { name: 'insertions', sizeBytes: insertedBytes },
  ];
  const plainSizeBytes = numbersBytes + copiedBytes + insertedBytes;
  return { name, sizeBytes: streamBytes, plainSizeBytes, contents };
}

function inspectBsdiff(patch: Uint8Array, header: BsdiffHeader): Body {
  const counter = new StepCounter();
  for (const step of readBsdiffSteps(patch, header)) counter.add(step);
  const { operations } = counter;
  const controlBytes = 3 * offsetBytes * counter.entries;
  const plain: Readonly<Record<string, number>> = {
    control: controlBytes,
    diff: operations.copiedBytes,
    extra: operations.insertedBytes,
  };
  return {
    operations,
    parts: [
      stored('header', header.headerBytes),
      ...header.streams.map(({ name, sizeBytes: size }) => {
        const plainSizeBytes = plain[name];
        return plainSizeBytes === undefined
          ? mixed(name, size, controlBytes, operations)
          : { name, sizeBytes: size, plainSizeBytes, contents: [] };
      }),
    ],
  };
}

function inspectDetools(patch: Uint8Array, header: DetoolsHeader): Body {
  const { place, targetSizeBytes, headerBytes } = header;
  const counter = new StepCounter();
  const { operations } = counter;
  if (place) {
    for (const step of inPlaceSteps(patch, header))
      if (step.kind === 'make') for (const part of step.parts) counter.add(part);
  } else for (const step of readDetoolsSteps(patch, header)) counter.add(step);
  // Each begins with the size of its data-format section, one byte.
  const sections = Math.ceil(targetSizeBytes / (place?.segmentBytes ?? (targetSizeBytes || 1)));
  const bodyBytes = patch.length - headerBytes;
  return {
    operations,
    parts: [
      stored('header', headerBytes),
      mixed('body', bodyBytes, sections + counter.numberBytes, operations),
    ],
  };
}

function inspectHdiff(patch: Uint8Array, header: HdiffHeader): Body {
  const counter = new StepCounter();
  for (const step of readHdiffSteps(patch, header)) counter.add(step);
  const part = (name: string, { sizeBytes: size, plainSizeBytes, isPacked }: PatchPart): Part =>
    isPacked ? { name, sizeBytes: size, plainSizeBytes, contents: [] } : stored(name, size);
  return {
    operations: counter.operations,
    parts: [
      stored('header', header.headerBytes),
      part('copies', header.cover),
      part('runs of differences', header.control),
      part('differences', header.runs),
      part('insertions', header.fresh),
    ],
  };
}

function inspectHpatchLite(patch: Uint8Array, header: HpatchLiteHeader): Body {
  const { headerBytes, plainSizeBytes } = header;
  const counter = new StepCounter();
  const body = new HpatchLiteBody(patch, header);
  for (const step of body.steps()) counter.add(step);
  const { operations } = counter;
  const { numberBytes } = body;
  // Exact copies have no differences.
  const copiedBytes = plainSizeBytes - numberBytes - operations.insertedBytes;
  const bodyBytes = patch.length - headerBytes;
  return {
    operations,
    parts: [
      stored('header', headerBytes),
      mixed('body', bodyBytes, numberBytes, { ...operations, copiedBytes }),
    ],
  };
}

function inspectVcdiff(patch: Uint8Array): Body {
  const operations = noOperations();
  const sizes = { data: 0, instructions: 0, addresses: 0 };
  for (const window of readVcdiffWindows(patch)) {
    sizes.data += window.sections.data.length;
    sizes.instructions += window.sections.instructions.length;
    sizes.addresses += window.sections.addresses.length;
    for (const instruction of readInstructions(window)) {
      if (instruction.kind === 'copy') {
        operations.copies++;
        operations.copiedBytes += instruction.sizeBytes;
      } else if (instruction.kind === 'add') {
        operations.inserts++;
        operations.insertedBytes += instruction.sizeBytes;
      } else {
        operations.runs++;
        operations.runBytes += instruction.sizeBytes;
      }
    }
  }
  const sectionBytes = sizes.data + sizes.instructions + sizes.addresses;
  return {
    operations,
    parts: [
      stored('headers', patch.length - sectionBytes),
      stored('data', sizes.data),
      stored('instructions', sizes.instructions),
      stored('addresses', sizes.addresses),
    ],
  };
}

/** Counts what the steps of a patch do; a long copy or insertion comes in several steps. */
class StepCounter {
  readonly operations: Operations = noOperations();
  /** Operations of the patch, and the bytes that detools takes for the three numbers of each. */
  entries = 0;
  numberBytes = 0;
  #copiedBytes = 0;
  #insertedBytes = 0;

  add(step: PatchStep): void {
    const { operations } = this;
    if (step.kind === 'copy') {
      this.#copiedBytes += step.differences.length;
      for (const difference of step.differences) if (difference !== 0) operations.changedBytes++;
    } else if (step.kind === 'insert') this.#insertedBytes += step.bytes.length;
    else {
      this.entries++;
      for (const value of [this.#copiedBytes, this.#insertedBytes, step.byBytes])
        this.numberBytes += sizeBytes(value);
      operations.copies += Math.sign(this.#copiedBytes);
      operations.copiedBytes += this.#copiedBytes;
      operations.inserts += Math.sign(this.#insertedBytes);
      operations.insertedBytes += this.#insertedBytes;
      this.#copiedBytes = 0;
      this.#insertedBytes = 0;
    }
  }
}

function noOperations(): Operations {
  return {
    copies: 0,
    copiedBytes: 0,
    changedBytes: 0,
    inserts: 0,
    insertedBytes: 0,
    runs: 0,
    runBytes: 0,
    moves: 0,
  };
}
