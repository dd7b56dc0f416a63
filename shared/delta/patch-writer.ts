import {
  type DeltaLimits,
  type DetoolsCompression,
  detoolsCompressionSchema,
  type PatchChoice,
} from '../domain/delta.ts';
import { choiceText } from '../domain/delta-cost.ts';
import { encoderLimits } from '../domain/delta-cost.ts';
import { problem } from '../domain/problem.ts';
import { writeBsdiff40, writeBsdiff43 } from './bsdiff-writer.ts';
import { writeDetools } from './detools-writer.ts';
import { writeHdiff } from './hdiff-writer.ts';
import { layOut, writeInPlace } from './in-place-writer.ts';
import { writeHpatchLite } from './hpatchlite-writer.ts';
import { findOperations, type Operation } from './operations.ts';
import { writeVcdiff } from './vcdiff-writer.ts';

/** Told while patches are made: what is done and how many target bytes of it. */
export type OnPatchProgress = (step: string, doneBytes: number) => void;

/**
 * Makes patches of one pair, one after the other, all but the in-place ones from the same operations.
 * @throws ProblemError `delta-memory`
 */
export function* makePatches(
  source: Uint8Array,
  target: Uint8Array,
  choices: readonly PatchChoice[],
  limits: DeltaLimits,
  onProgress: OnPatchProgress = () => undefined,
): Generator<{ readonly choice: PatchChoice; readonly patch: Uint8Array }> {
  const compare = (done: number): void => onProgress('Comparing', done);
  const sequential = choices.filter(({ format }) => format !== 'detools-inplace');
  if (sequential.length > 0) {
    const operations = findOperations(source, target, compare);
    for (const choice of sequential) {
      onProgress(`Writing ${choiceText(choice)}`, 0);
      yield { choice, patch: writePatch(source, target, operations, choice, limits) };
    }
  }
  const compressions = choices.flatMap(({ format, compression }) =>
    format === 'detools-inplace' && compression ? [detoolsCompression(compression)] : [],
  );
  if (compressions.length === 0) return;
  const layout = layOut(memoryOf(limits), source.length, target.length);
  const most = encoderLimits(limits);
  const patches = writeInPlace(source, target, layout, compressions, most, compare);
  for (const [compression, patch] of patches)
    yield { choice: { format: 'detools-inplace', compression }, patch };
}

function writePatch(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
  { format, compression }: PatchChoice,
  limits: DeltaLimits,
): Uint8Array {
  const most = encoderLimits(limits);
  if (format === 'bsdiff') return writeBsdiff40(source, target, operations);
  if (format === 'bsdiff43') return writeBsdiff43(source, target, operations);
  if (format === 'vcdiff') return writeVcdiff(source, target, operations, most.vcdiffWindowBytes);
  if (format === 'hdiffpatch') {
    const packing = compression === 'none' ? 'none' : 'lzma';
    return writeHdiff(source, target, operations, packing, most.hdiffDictionaryBytes);
  }
  if (format === 'hpatchlite') {
    const packing = compression === 'none' ? 'none' : 'tinyuz';
    return writeHpatchLite(source, target, operations, packing, most.tinyuzDictionaryBytes);
  }
  return writeDetools(source, target, operations, detoolsCompression(compression), most);
}

function detoolsCompression(compression: PatchChoice['compression']): DetoolsCompression {
  return detoolsCompressionSchema.parse(compression ?? 'lzma');
}

function memoryOf({ memoryBytes, segmentBytes }: DeltaLimits) {
  if (memoryBytes && segmentBytes) return { memoryBytes, segmentBytes };
  throw problem(
    'delta-memory',
    'The memory of the component is not known',
    'An update in place needs the size of its memory and of one segment.',
    'Give memoryBytes and segmentBytes, or describe them under delta: in slipway.yaml.',
    'usage',
  );
}
