/** Random access to content of a known size: a file, or bytes in memory. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Returns `length` bytes from `offset`, fewer only at the end of the content. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A {@link ByteSource} over bytes in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}
