import { DecoderMemory } from './decoder-memory.ts';
import type { DetoolsHeader, InPlaceLayout } from './detools-format.ts';
import { DetoolsBody } from './detools-reader.ts';
import { corruptPatch, wrongSource } from './patch-problems.ts';
import type { PatchStep } from './patch-steps.ts';

const mostSegments = 1 << 17;
/** No flash is erased in larger units. */
const mostSegmentBytes = 16 * 1024 * 1024;
/** How much a device copies at once. */
const chunkBytes = 128;
const erasedByte = 0xff;

/** Where a simulated device loses its power; the patch is taken up again from its last finished step. */
export class PowerLoss extends Error {
  override readonly name = 'PowerLoss';
}

/** The memory of a device, segment by segment as flash has it: a byte is written once after its segment was erased. */
export class SegmentMemory {
  readonly layout: InPlaceLayout;
  readonly #segments = new Map<number, Uint8Array>();
  readonly #written = new Map<number, number>();
  /** How many times a segment was erased, and how many bytes were written. */
  erases = 0;
  writtenBytes = 0;
  /** Writes of chunks that are left until the power fails. */
  chunksUntilLoss = Number.POSITIVE_INFINITY;

  constructor(layout: InPlaceLayout, source: Uint8Array) {
    this.layout = layout;
    const size = layout.segmentBytes;
    for (let at = 0; at < source.length; at += size) {
      const segment = new Uint8Array(size).fill(erasedByte);
      segment.set(source.subarray(at, at + size));
      this.#segments.set(at / size, segment);
      this.#written.set(at / size, size);
    }
  }

  read(at: number, target: Uint8Array): void {
    this.#within(at, target.length, 'reads');
    const size = this.layout.segmentBytes;
    for (let done = 0; done < target.length; ) {
      const offset = (at + done) % size;
      const count = Math.min(target.length - done, size - offset);
      const segment = this.#segments.get(Math.floor((at + done) / size));
      if (segment) target.set(segment.subarray(offset, offset + count), done);
      else target.fill(erasedByte, done, done + count);
      done += count;
    }
  }

  /** Erases one segment. @throws PowerLoss */
  erase(index: number): void {
    this.#within(index * this.layout.segmentBytes, this.layout.segmentBytes, 'erases');
    this.erases++;
    this.#segments.set(index, new Uint8Array(this.layout.segmentBytes).fill(erasedByte));
    this.#written.set(index, 0);
    this.#spend();
  }

  /** Writes a chunk within one segment, behind what it holds since it was erased. @throws PowerLoss */
  write(at: number, bytes: Uint8Array): void {
    this.#within(at, bytes.length, 'writes');
    const size = this.layout.segmentBytes;
    const index = Math.floor(at / size);
    const offset = at % size;
    const segment = this.#segments.get(index);
    if (!segment || offset < (this.#written.get(index) ?? size) || offset + bytes.length > size)
      throw new Error(`a device writes ${bytes.length} bytes at ${at} where nothing was erased`);
    segment.set(bytes, offset);
    this.#written.set(index, offset + bytes.length);
    this.writtenBytes += bytes.length;
    this.#spend();
  }

  #spend(): void {
    if (this.chunksUntilLoss-- <= 1) throw new PowerLoss('the power failed');
  }

  #within(at: number, count: number, does: string): void {
    if (at < 0 || at + count > this.layout.memoryBytes)
      throw corruptPatch(0, `it ${does} ${count} bytes at ${at}, outside of the memory`);
  }
}

/** One step that a device finishes before it notes that it did: a segment is moved, or made. */
export type InPlaceStep =
  | { readonly kind: 'move'; readonly from: number; readonly to: number }
  | { readonly kind: 'make'; readonly index: number; readonly parts: readonly PatchStep[] };

/**
 * The steps of an in-place patch in order. The parts of one segment are kept, so that it can be made again: a device
 * reads them from the patch again, which is why they are not counted as its RAM.
 * @throws ProblemError `patch-corrupt` | `patch-unsupported` | `delta-ram`
 */
export function* inPlaceSteps(
  patch: Uint8Array,
  header: DetoolsHeader,
  ram = new DecoderMemory(),
): Generator<InPlaceStep> {
  const layout = layoutOf(header);
  const { segmentBytes, shiftBytes, memoryBytes, sourceSizeBytes } = layout;
  if (header.targetSizeBytes === 0) return;
  const kept = Math.min(sourceSizeBytes, memoryBytes - shiftBytes);
  // From the end, so that nothing is overwritten before it was moved.
  for (let from = Math.ceil(kept / segmentBytes) - 1; from >= 0; from--)
    yield { kind: 'move', from, to: from + shiftBytes / segmentBytes };
  ram.take(chunkBytes);
  const body = new DetoolsBody(patch, header, ram);
  for (let index = 0; index * segmentBytes < header.targetSizeBytes; index++) {
    const size = Math.min(segmentBytes, header.targetSizeBytes - index * segmentBytes);
    const parts = [...keep(body.steps(size))];
    yield { kind: 'make', index, parts };
  }
  body.finish();
}

function* keep(steps: Iterable<PatchStep>): Generator<PatchStep> {
  for (const step of steps) {
    if (step.kind === 'copy') yield { kind: 'copy', differences: step.differences.slice() };
    else if (step.kind === 'insert') yield { kind: 'insert', bytes: step.bytes.slice() };
    else yield step;
  }
}

/** Carries out one step on the memory of a device. @throws PowerLoss, ProblemError `patch-corrupt` */
export function runStep(memory: SegmentMemory, step: InPlaceStep): void {
  const { segmentBytes, shiftBytes } = memory.layout;
  const chunk = new Uint8Array(chunkBytes);
  if (step.kind === 'move') {
    memory.erase(step.to);
    for (let offset = 0; offset < segmentBytes; offset += chunkBytes) {
      const piece = chunk.subarray(0, Math.min(chunkBytes, segmentBytes - offset));
      memory.read(step.from * segmentBytes + offset, piece);
      memory.write(step.to * segmentBytes + offset, piece);
    }
    return;
  }
  memory.erase(step.index);
  let target = step.index * segmentBytes;
  let source = Math.max((step.index + 1) * segmentBytes, shiftBytes);
  for (const part of step.parts) {
    if (part.kind === 'seek') {
      source += part.byBytes;
      continue;
    }
    const bytes = part.kind === 'copy' ? part.differences : part.bytes;
    for (let done = 0; done < bytes.length; done += chunkBytes) {
      const piece = chunk.subarray(0, Math.min(chunkBytes, bytes.length - done));
      if (part.kind === 'copy') {
        memory.read(source, piece);
        source += piece.length;
        for (let i = 0; i < piece.length; i++) piece[i]! += bytes[done + i]!;
      } else piece.set(bytes.subarray(done, done + piece.length));
      memory.write(target, piece);
      target += piece.length;
    }
  }
}

/** The memory of a device that holds the source. @throws ProblemError `patch-source` | `patch-corrupt` */
export function deviceWith(source: Uint8Array, header: DetoolsHeader): SegmentMemory {
  const layout = layoutOf(header);
  if (layout.sourceSizeBytes !== source.length)
    throw wrongSource(
      `It is for a source of ${layout.sourceSizeBytes} bytes; this one has ${source.length}`,
    );
  checkSegments(layout);
  return new SegmentMemory(layout, source);
}

function checkSegments({ memoryBytes, segmentBytes }: InPlaceLayout): void {
  if (memoryBytes / segmentBytes > mostSegments || segmentBytes > mostSegmentBytes)
    throw corruptPatch(1, `${memoryBytes} bytes in segments of ${segmentBytes} are no flash`);
}

/**
 * Rebuilds the target in the simulated memory of a device. With `onPowerLoss` the power fails three times within each
 * step: behind the erasing, half way, and when all is written but not noted as done. Each time the step is done again:
 * what it reads must not be what it has already destroyed.
 * @throws ProblemError `patch-source` | `patch-corrupt` | `patch-unsupported` | `delta-ram`
 */
export function* readInPlace(
  source: Uint8Array,
  patch: Uint8Array,
  header: DetoolsHeader,
  ram: DecoderMemory,
  onPowerLoss?: () => void,
): Generator<Uint8Array> {
  const memory = deviceWith(source, header);
  const halfWay = Math.ceil(memory.layout.segmentBytes / chunkBytes / 2) + 1;
  const losses = onPowerLoss ? [1, halfWay, Number.POSITIVE_INFINITY] : [];
  for (const step of inPlaceSteps(patch, header, ram)) {
    for (const chunks of losses) {
      memory.chunksUntilLoss = chunks;
      try {
        runStep(memory, step);
      } catch (error) {
        if (!(error instanceof PowerLoss)) throw error;
      }
      onPowerLoss?.();
    }
    memory.chunksUntilLoss = Number.POSITIVE_INFINITY;
    runStep(memory, step);
  }
  const { segmentBytes } = memory.layout;
  for (let at = 0; at < header.targetSizeBytes; at += segmentBytes) {
    const piece = new Uint8Array(Math.min(segmentBytes, header.targetSizeBytes - at));
    memory.read(at, piece);
    yield piece;
  }
}

function layoutOf(header: DetoolsHeader): InPlaceLayout {
  if (!header.place) throw new Error('this is no in-place patch');
  return header.place;
}
