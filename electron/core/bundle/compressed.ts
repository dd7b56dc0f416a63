import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import { ContentFault } from './content-fault.ts';
import { isBomb } from './limits.ts';
import { type Inside, nothingKnown, type Reading } from './reading.ts';

/** What a compressed file has unpacked to so far, held to what an honest one does. */
export class UnpackedCount {
  readonly #reading: Reading;
  readonly #bombRule: BundleRuleId;
  #sizeBytes = 0;

  constructor(reading: Reading, bombRule: BundleRuleId) {
    this.#reading = reading;
    this.#bombRule = bombRule;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Counts bytes of the part that begins at `offset`. @throws ContentFault | InspectionEnd */
  add(sizeBytes: number, offset: number): void {
    this.#sizeBytes += sizeBytes;
    this.#reading.budget.countUnpacked(sizeBytes);
    const { fileSizeBytes } = this.#reading;
    if (!isBomb(this.#sizeBytes, fileSizeBytes)) return;
    const what = `${fileSizeBytes} bytes unpack to more than ${this.#sizeBytes} bytes`;
    throw new ContentFault(this.#reading, this.#bombRule, what, { offset });
  }
}

/** Content of a compressed file, as it is unpacked. */
export interface Unpacking {
  content(): AsyncGenerator<Uint8Array>;
  readonly unpacked: UnpackedCount;
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
  const chunks = unpacking.content();
  try {
    const found = await reading.onMember({ name: inner, path: null, chunks });
    if (/\.tar$/i.test(inner) && found !== 'tar') {
      findings.add(notTar, `the unpacked content is ${found}`, { expected: 'tar', found });
    }
    const { checkedBy, unpacked } = unpacking;
    const checked = checkedBy === 'none' ? 'it has no checksum' : `${checkedBy} is right`;
    findings.intact(`${format}: ${unpacked.sizeBytes} bytes unpacked, ${checked}`);
  } catch (error) {
    ContentFault.tell(error, reading);
  } finally {
    await chunks.return(undefined);
  }
  return nothingKnown;
}
