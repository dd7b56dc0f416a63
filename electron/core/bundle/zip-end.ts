import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import type { Report } from '../../../shared/formats/report.ts';

const endBytes = 22;
const locatorBytes = 20;
const locatorSignature = 0x07064b50;
const zip64EndBytes = 56;

/** What was counted while the directory was read. */
interface Counted {
  readonly members: number;
  readonly directoryBytes: number;
  readonly commentBytes: number;
}

/** One value of an end record: where it stands, and what it must be. */
type Field = readonly [name: string, offset: number, found: number, expected: number];

/**
 * Compares the end records with the directory that was read: a count that is too small hides
 * members from some readers. Returns where the directory begins.
 * Source: APPNOTE 4.3.14 to 4.3.16.
 */
export async function checkZipEnd(
  source: ByteSource,
  { members, directoryBytes, commentBytes }: Counted,
  report: Report,
): Promise<number> {
  const at = source.sizeBytes - endBytes - commentBytes;
  const end = Buffer.from(await source.read(at, endBytes));
  const locator = Buffer.from(await source.read(Math.max(0, at - locatorBytes), locatorBytes));
  const isZip64 = at >= locatorBytes && locator.readUInt32LE(0) === locatorSignature;
  const directoryEnd = isZip64 ? Number(locator.readBigUInt64LE(8)) : at;
  const directoryStart = directoryEnd - directoryBytes;
  const counts = [
    ['disk of the directory', 6, 2, 0],
    ['members on this disk', 8, 2, members],
    ['members', 10, 2, members],
    ['size of the directory', 12, 4, directoryBytes],
    ['offset of the directory', 16, 4, directoryStart],
  ] as const;
  const fields: Field[] = [];
  for (const [name, offset, width, expected] of counts) {
    const found = end.readUIntLE(offset, width);
    const isElsewhere = isZip64 && found === 2 ** (8 * width) - 1;
    if (!isElsewhere) fields.push([name, at + offset, found, expected]);
  }
  if (isZip64) {
    fields.push(['disk of the zip64 end record', at - 16, locator.readUInt32LE(4), 0]);
    fields.push(['number of disks', at - 4, locator.readUInt32LE(16), 1]);
    const zip64 = Buffer.from(await source.read(directoryEnd, zip64EndBytes));
    const value = (offset: number): number => Number(zip64.readBigUInt64LE(offset));
    const sizeBytes = at - locatorBytes - directoryEnd - 12;
    fields.push(['size of the zip64 end record', directoryEnd + 4, value(4), sizeBytes]);
    fields.push(['disk of the directory', directoryEnd + 20, zip64.readUInt32LE(20), 0]);
    fields.push(['members on this disk', directoryEnd + 24, value(24), members]);
    fields.push(['members', directoryEnd + 32, value(32), members]);
    fields.push(['size of the directory', directoryEnd + 40, value(40), directoryBytes]);
    fields.push(['offset of the directory', directoryEnd + 48, value(48), directoryStart]);
  }
  for (const [name, offset, found, expected] of fields) {
    if (found === expected) continue;
    report('zip.header-mismatch', `end record: ${name}`, {
      offset: Math.max(0, offset),
      expected: String(expected),
      found: String(found),
    });
  }
  return directoryStart;
}
