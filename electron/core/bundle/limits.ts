const freeUnpackedBytes = 1024 * 1024;
const mostUnpackedBytes = 1024 * 1024 * 1024;
const highestRatio = 200;

/** Whether content that unpacks to `unpackedBytes` from `packedBytes` is beyond any honest archive. */
export function isBomb(unpackedBytes: number, packedBytes: number): boolean {
  return (
    unpackedBytes > mostUnpackedBytes ||
    (unpackedBytes > freeUnpackedBytes && unpackedBytes > packedBytes * highestRatio)
  );
}
