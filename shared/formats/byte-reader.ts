/** Reads a compressed stream piece by piece; errors are plain ones that say what is wrong. */
export interface ByteReader {
  /** What the reader holds beside its input, in bytes. */
  readonly memoryBytes: number;
  /** Fills the target as far as the stream goes and returns the number of bytes. */
  read(target: Uint8Array): number;
  /** Checks that nothing is left. */
  finish(): void;
}
