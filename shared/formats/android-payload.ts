import type { ByteSource } from './byte-source.ts';
import { withDeltaFindings, DeltaDamage } from './delta-facts.ts';
import { type ImageFacts, viewOf } from './image-facts.ts';
import type { Report } from './report.ts';
import { ContentEnd } from './source-cursor.ts';

const headerBytes = 24;
/** Manifests list operations, not content: real ones have a few megabytes at most. */
const largestManifestBytes = 64 * 1024 * 1024;
/** A protocol buffer begins with a tag: field number and wire type 0, 1, 2 or 5. */
const wireTypes: ReadonlySet<number> = new Set([0, 1, 2, 5]);

/**
 * Reads the header of an Android or ChromeOS update payload ("CrAU"): version, sizes of manifest and
 * metadata signature. Returns null after a blocking report.
 * Source: update_engine, README.md, "Update Payload File Specification"; numbers are big-endian.
 */
export async function readAndroidPayload(
  source: ByteSource,
  report: Report,
): Promise<ImageFacts | null> {
  const format = 'Android payload';
  const sizes = await withDeltaFindings(format, report, async () => {
    const bytes = await source.read(0, headerBytes);
    if (bytes.length < headerBytes) throw new ContentEnd(source.sizeBytes);
    const view = viewOf(bytes);
    const version = Number(view.getBigUint64(4));
    if (version !== 1 && version !== 2) throw new DeltaDamage(`version ${version}`, 4);
    const manifestBytes = Number(view.getBigUint64(12));
    if (manifestBytes === 0 || manifestBytes > largestManifestBytes)
      throw new DeltaDamage(`a manifest of ${manifestBytes} bytes`, 12);
    // The first version has no signature of the metadata.
    const manifestAt = version === 1 ? 20 : headerBytes;
    const signatureBytes = version === 1 ? 0 : view.getUint32(20);
    const dataAt = manifestAt + manifestBytes + signatureBytes;
    if (dataAt > source.sizeBytes) throw new ContentEnd(source.sizeBytes);
    const [tag = 0] = await source.read(manifestAt, 1);
    if (tag < 8 || !wireTypes.has(tag & 7))
      throw new DeltaDamage('the manifest is no protocol buffer', manifestAt);
    return { version, manifestBytes, signatureBytes, dataBytes: source.sizeBytes - dataAt };
  });
  if (sizes === null) return null;
  const { version, manifestBytes, signatureBytes, dataBytes } = sizes;
  report(
    'patch.header',
    `${format}: version ${version}, manifest of ${manifestBytes} bytes, ` +
      `metadata signature of ${signatureBytes} bytes, ${dataBytes} bytes of data`,
    { offset: 4 },
  );
  report('patch.not-applied', `${format}: its manifest and hashes were not read`);
  return {
    summary: `${format}: the header agrees with the file`,
    segments: [],
    compressed: true,
  };
}
