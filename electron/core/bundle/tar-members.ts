import { TarReader } from '../../../shared/formats/tar.ts';
import { type Inside, nothingKnown, type Reading } from './reading.ts';

/** Reads a tar and hands on the content of its members. */
export async function readTarMembers(
  chunks: AsyncIterable<Buffer>,
  { findings, onContent, onMemberEnd }: Reading,
): Promise<Inside> {
  const reader = new TarReader(findings.add, onContent, onMemberEnd);
  for await (const chunk of chunks) reader.push(chunk);
  const members = reader.finish();
  findings.intact(`tar: ${members} members, every header checksum is right`);
  return nothingKnown;
}
