import { crc32 } from 'node:zlib';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { ByteStream } from '../../../shared/formats/byte-stream.ts';
import { readRange } from '../../../shared/formats/image-facts.ts';
import { sumText } from '../../../shared/formats/crc32.ts';
import type { Evidence } from '../../../shared/formats/report.ts';
import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import { checkPackLayout } from './cmsis-pack.ts';
import { ContentFault } from './content-fault.ts';
import { InflateError, inflateRaw } from './inflate.ts';
import { isBomb } from './limits.ts';
import { type Inside, nothingKnown, type Reading } from './reading.ts';
import { readZipDirectory, type ZipMember } from './zip-directory.ts';

/**
 * Reads a zip without writing anything: its directory, then the data of every member, with CRC-32
 * and sizes; each member is inspected as a file of its own.
 */
export async function readZip(source: ByteSource, reading: Reading): Promise<Inside> {
  const { findings, onMember } = reading;
  // Overlapping members are how a small file becomes endless work: then nothing is unpacked.
  const members = await readZipDirectory(source, findings.add);
  if (members === null) return nothingKnown;
  checkPackLayout(
    members.map(({ name }) => name),
    reading,
  );
  let unpackedBytes = 0;
  for (const member of members) {
    unpackedBytes += member.sizeBytes;
    if (isBomb(unpackedBytes, source.sizeBytes)) {
      const detail = `${source.sizeBytes} bytes unpack to ${unpackedBytes} bytes or more`;
      findings.add('zip.bomb', detail, { offset: member.start, member: member.name });
      return nothingKnown;
    }
    if (member.isFolder && member.sizeBytes === 0) continue;
    const chunks = readMember(source, member, reading);
    try {
      await onMember({ name: member.name, path: member.name, chunks });
    } catch (error) {
      ContentFault.tell(error, reading);
    } finally {
      await chunks.return(undefined);
    }
  }
  findings.intact(`zip: ${members.length} members, every CRC-32 is right`);
  return nothingKnown;
}

async function* readMember(
  source: ByteSource,
  member: ZipMember,
  reading: Reading,
): AsyncGenerator<Uint8Array, void> {
  const { name, packedBytes, sizeBytes, dataStart } = member;
  const fail = (rule: BundleRuleId, what: string, evidence: Evidence = {}): never => {
    const place = { offset: member.start, member: name, ...evidence };
    throw new ContentFault(reading, rule, `"${name}": ${what}`, place);
  };
  const packed = new ByteStream(readRange(source, dataStart, dataStart + packedBytes));
  let unpackedBytes = 0;
  let sum = 0;
  try {
    for await (const bytes of member.isDeflated ? inflateRaw(packed) : packed.pieces()) {
      unpackedBytes += bytes.length;
      sum = crc32(bytes, sum);
      if (unpackedBytes > sizeBytes) {
        fail('zip.damaged', `more than the ${sizeBytes} bytes that its headers tell`);
      }
      reading.budget.countUnpacked(member.isDeflated ? bytes.length : 0);
      yield bytes;
    }
  } catch (error) {
    if (error instanceof InflateError) fail('zip.damaged', error.message);
    throw error;
  }
  if (unpackedBytes < sizeBytes || packed.offset < packedBytes) {
    const values =
      unpackedBytes < sizeBytes
        ? { expected: `${sizeBytes} bytes`, found: `${unpackedBytes} bytes` }
        : { expected: `${packedBytes} packed bytes`, found: `${packed.offset} packed bytes` };
    fail('zip.damaged', 'its data ends early', values);
  }
  if (sum !== member.crc32)
    fail('zip.crc', 'CRC-32', { expected: sumText(member.crc32), found: sumText(sum) });
  if (!member.hasDescriptor) return;
  const descriptor = Buffer.from(await source.read(dataStart + packedBytes, 24));
  if (!isDescriptorOf(descriptor, member)) {
    const offset = dataStart + packedBytes;
    fail('zip.header-mismatch', 'the descriptor behind its data differs from the directory', {
      offset,
    });
  }
}

/** The signature is optional, and sizes have eight bytes in zip64 (APPNOTE 4.3.9). */
function isDescriptorOf(bytes: Buffer, { crc32: sum, packedBytes, sizeBytes }: ZipMember): boolean {
  const [four, eight] = [Buffer.alloc(12), Buffer.alloc(20)];
  four.writeUInt32LE(sum);
  four.writeUInt32LE(packedBytes, 4);
  four.writeUInt32LE(sizeBytes, 8);
  eight.writeUInt32LE(sum);
  eight.writeBigUInt64LE(BigInt(packedBytes), 4);
  eight.writeBigUInt64LE(BigInt(sizeBytes), 12);
  const signature = Buffer.from('PK\x07\x08', 'latin1');
  return [four, eight]
    .flatMap((form) => [form, Buffer.concat([signature, form])])
    .some((form) => bytes.subarray(0, form.length).equals(form));
}
