import { ContentFault } from './content-fault.ts';
import { type Inside, nothingKnown, type Reading } from './reading.ts';

/** Content of a compressed file, as it is unpacked. */
export interface Unpacking {
  content(): AsyncGenerator<Uint8Array>;
  /** What the content was checked with, once it is read: `none` is nothing. */
  readonly checkedBy: string;
}

/**
 * Inspects what a compressed file holds, and tells whether all of it could be unpacked. A name such
 * as `.tar.gz` or `.tgz` is held to the tar that it promises.
 */
export async function readCompressed(
  reading: Reading,
  notTar: 'gzip.not-tar' | 'xz.not-tar' | 'zstd.not-tar',
  unpacking: Unpacking,
): Promise<Inside> {
  const { name, format, findings } = reading;
  const inner = name.replace(/\.(tgz|txz|tzst)$/i, '.tar').replace(/\.(gz|xz|zst)$/i, '');
  let unpackedBytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const bytes of unpacking.content()) {
      unpackedBytes += bytes.length;
      yield bytes;
    }
  }
  const chunks = counted();
  try {
    const found = await reading.onMember({ name: inner, path: null, chunks });
    if (/\.tar$/i.test(inner) && found !== 'tar') {
      findings.add(notTar, `the unpacked content is ${found}`, { expected: 'tar', found });
    }
    const { checkedBy } = unpacking;
    const checked = checkedBy === 'none' ? 'it has no checksum' : `${checkedBy} is right`;
    findings.intact(`${format}: ${unpackedBytes} bytes unpacked, ${checked}`);
  } catch (error) {
    ContentFault.tell(error, reading);
  } finally {
    await chunks.return(undefined);
  }
  return nothingKnown;
}
