import type { DetoolsCompression } from '../domain/delta.ts';
import type { Operation } from './operations.ts';

/** What an operation costs beside its bytes: three sizes. */
const operationBytes = 6;
/** What a run of equal differences costs in CRLE, with the segment that it interrupts. */
const runBytes = 5;

/**
 * Leaves out copies that save less than they cost: all of them without compression, and for CRLE those with few runs of
 * unchanged bytes. For other compressions a changed byte is still cheaper than a new one, so all stay.
 */
export function pruneOperations(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
  compression: DetoolsCompression,
): readonly Operation[] {
  if (compression !== 'none' && compression !== 'crle') return operations;
  const kept: Operation[] = [];
  for (const operation of operations) {
    const savedBytes = compression === 'crle' ? savedByRuns(source, target, operation) : 0;
    const last = kept[kept.length - 1];
    if (savedBytes >= operationBytes) kept.push(operation);
    else {
      const bytes = operation.copyBytes + operation.insertBytes;
      if (last) kept[kept.length - 1] = { ...last, insertBytes: last.insertBytes + bytes };
      else kept.push({ ...operation, sourceStart: 0, copyBytes: 0, insertBytes: bytes });
    }
  }
  return kept;
}

function savedByRuns(
  source: Uint8Array,
  target: Uint8Array,
  { targetStart, sourceStart, copyBytes }: Operation,
): number {
  let saved = 0;
  let run = 0;
  for (let i = 0; i <= copyBytes; i++) {
    if (i < copyBytes && source[sourceStart + i] === target[targetStart + i]) run++;
    else {
      saved += Math.max(0, run - runBytes);
      run = 0;
    }
  }
  return saved;
}
