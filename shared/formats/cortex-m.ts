/** What the first words of a Cortex-M image say. */
export interface VectorTable {
  readonly stackPointer: number;
  readonly resetHandler: number;
}

const vectorCount = 16;
/** Code region of the Armv7-M memory map. */
const codeEnd = 0x2000_0000;
const ramStart = 0x1000_0000;
const ramEnd = 0x4000_0000;

/**
 * Reads the vector table of a raw image (Armv7-M Architecture Reference Manual, B1.5.3).
 * Returns null when the words cannot be one: the stack pointer must lie in RAM and be aligned,
 * the handlers must be Thumb addresses (odd) close to each other.
 */
export function readVectorTable(bytes: Uint8Array): VectorTable | null {
  if (bytes.length < vectorCount * 4) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stackPointer = view.getUint32(0, true);
  const resetHandler = view.getUint32(4, true);
  if (stackPointer < ramStart || stackPointer > ramEnd || stackPointer % 4 !== 0) return null;
  const handlers = [1, 2, 3, 11, 14, 15].map((index) => view.getUint32(index * 4, true));
  const used = handlers.filter((handler) => handler !== 0 && handler !== 0xffff_ffff);
  if (used.length < 3 || used[0] !== resetHandler) return null;
  const near = (handler: number) => Math.abs(handler - resetHandler) < 16 * 1024 * 1024;
  if (!used.every((handler) => handler % 2 === 1 && handler < codeEnd && near(handler)))
    return null;
  return { stackPointer, resetHandler };
}

/** Whether the bytes begin with a plausible Cortex-M vector table. */
export function looksLikeCortexM(head: Uint8Array): boolean {
  return readVectorTable(head) !== null;
}
