import type { DecoderMemory } from './decoder-memory.ts';
import { wrongSource } from './patch-problems.ts';
import { viewOf } from './same-bytes.ts';

/** What the patches that correct copied bytes are made of; the memory of the bytes is used again for the next step. */
export type PatchStep =
  /** So many source bytes are copied, with these differences added. */
  | { readonly kind: 'copy'; readonly differences: Uint8Array }
  | { readonly kind: 'insert'; readonly bytes: Uint8Array }
  /** The place in the source moves. */
  | { readonly kind: 'seek'; readonly byBytes: number };

/**
 * Rebuilds the target from the steps, in pieces whose memory is used again.
 * `outside` says what source bytes beyond its ends are: zeros, as for bspatch, or an error.
 * @throws ProblemError `patch-source` | `delta-ram`
 */
export function* rebuild(
  source: Uint8Array,
  steps: Iterable<PatchStep>,
  outside: 'zeros' | 'error',
  memory: DecoderMemory,
): Generator<Uint8Array> {
  // The steps take what they need first, at their first one.
  let piece: Uint8Array | null = null;
  let filled = 0;
  let sourceAt = 0;
  for (const step of steps) {
    piece ??= memory.buffer();
    if (step.kind === 'seek') {
      sourceAt += step.byBytes;
      continue;
    }
    const bytes = step.kind === 'copy' ? step.differences : step.bytes;
    for (let done = 0; done < bytes.length; ) {
      const size = Math.min(bytes.length - done, piece.length - filled);
      piece.set(bytes.subarray(done, done + size), filled);
      if (step.kind === 'copy') {
        if (outside === 'error' && (sourceAt < 0 || sourceAt + size > source.length))
          throw wrongSource(
            `It copies ${size} bytes from offset ${sourceAt} of a source of ${source.length} bytes`,
          );
        addSource(piece, filled, size, source, sourceAt);
        sourceAt += size;
      }
      filled += size;
      done += size;
      if (filled === piece.length) {
        yield piece;
        filled = 0;
      }
    }
  }
  if (piece && filled > 0) yield piece.subarray(0, filled);
}

function addSource(
  piece: Uint8Array,
  from: number,
  size: number,
  source: Uint8Array,
  sourceAt: number,
): void {
  const first = Math.max(0, -sourceAt);
  const end = Math.min(size, source.length - sourceAt);
  const [left, right] = [viewOf(piece), viewOf(source)];
  let i = first;
  for (; i + 4 <= end; i += 4) {
    const a = left.getInt32(from + i, true);
    const b = right.getInt32(sourceAt + i, true);
    // Four sums at once: the highest bits are added without their carry, which would go to the neighbour.
    left.setInt32(from + i, ((a & 0x7f7f7f7f) + (b & 0x7f7f7f7f)) ^ ((a ^ b) & 0x80808080), true);
  }
  for (; i < end; i++) piece[from + i]! += source[sourceAt + i]!;
}
