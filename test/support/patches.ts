import fc from 'fast-check';
import { makePatches } from '../../shared/delta/patch-writer.ts';
import type { DeltaLimits, PatchChoice } from '../../shared/domain/delta.ts';
import { ProblemError } from '../../shared/domain/problem.ts';

/** Every patch that Slipway makes. */
export const everyChoice: readonly PatchChoice[] = [
  { format: 'bsdiff', compression: null },
  { format: 'bsdiff43', compression: null },
  { format: 'vcdiff', compression: null },
  ...(['detools', 'detools-inplace'] as const).flatMap((format) =>
    (['none', 'crle', 'heatshrink', 'lzma'] as const).map((compression) => ({
      format,
      compression,
    })),
  ),
  { format: 'hpatchlite', compression: 'none' },
  { format: 'hpatchlite', compression: 'tinyuz' },
  { format: 'hdiffpatch', compression: 'none' },
  { format: 'hdiffpatch', compression: 'lzma' },
];

/** One patch, and nothing else. */
export function makePatch(
  source: Uint8Array,
  target: Uint8Array,
  choice: PatchChoice,
  limits: DeltaLimits = {},
): Uint8Array {
  const [made] = [...makePatches(source, target, [choice], limits)];
  if (!made) throw new Error('no patch was made');
  return made.patch;
}

/** A source and a target that was made from it by insertions and deletions. */
export const anyPair = fc
  .tuple(
    fc.uint8Array({ maxLength: 400 }),
    fc.array(fc.tuple(fc.nat(900), fc.uint8Array({ maxLength: 30 })), { maxLength: 6 }),
  )
  .map(([base, edits]): readonly [Uint8Array, Uint8Array] => {
    const source = Uint8Array.from([...base, ...base.toReversed(), ...base]);
    let bytes = [...source];
    for (const [place, insert] of edits)
      bytes = [...bytes.slice(0, place), ...insert, ...bytes.slice(place + (insert[0] ?? 0))];
    return [source, Uint8Array.from(bytes)];
  });

/** Bytes that look like code: words that repeat with small changes, tables and padding. */
export function firmwareLike(sizeBytes: number, version: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = 7;
  const next = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
  for (let at = 0; at < sizeBytes; ) {
    const kind = next() % 8;
    const size = 16 + (next() % 200);
    for (let i = 0; i < size && at < sizeBytes; i++, at++) {
      if (kind === 0) bytes[at] = 0xff;
      else if (kind === 1) bytes[at] = (i * 3) & 0xff;
      else bytes[at] = i % 4 === 3 ? 0x48 : next() & 0x3f;
    }
  }
  for (let at = 100 * version; version > 0 && at < sizeBytes; at += 611)
    bytes[at] = (bytes[at]! + version) & 0xff;
  return bytes;
}

/** The problem that the work ends with; null without one. */
export function problemOf(work: () => unknown): ProblemError['problem'] | null {
  try {
    work();
    return null;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.problem;
  }
}
