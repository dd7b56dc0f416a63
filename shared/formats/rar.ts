import type { ByteSource } from './byte-source.ts';
import { foldedName, unsafeNameReason } from './member-name.ts';
import { readRar4Block } from './rar4.ts';
import { readRar5Block } from './rar5.ts';
import { RarFault, type RarMember } from './rar-member.ts';
import type { Report } from './report.ts';

const rar5Signature = 8;
const rar4Signature = 7;
const mostBlocks = 20_000;
const mostNameBytes = 16 * 1024 * 1024;

/**
 * Walks the headers of a RAR archive of version 1.5 to 5 and checks their CRCs and what they say;
 * the members' data is not unpacked. Returns the members, or null after a blocking report.
 */
export async function readRarHeaders(
  source: ByteSource,
  report: Report,
): Promise<readonly RarMember[] | null> {
  let isBlocked = false;
  const block: Report = (rule, detail, evidence) => {
    isBlocked = true;
    report(rule, detail, evidence);
  };
  const members: RarMember[] = [];
  const names = new Set<string>();
  try {
    await walk(source, block, report, (member) => {
      members.push(member);
      checkMember(member, names, block);
    });
  } catch (error) {
    if (!(error instanceof RarFault)) throw error;
    block(error.rule, error.message, { offset: error.offset, ...error.values });
  }
  return isBlocked ? null : members;
}

async function walk(
  source: ByteSource,
  block: Report,
  warn: Report,
  onMember: (member: RarMember) => void,
): Promise<void> {
  const head = await source.read(0, rar5Signature);
  const isRar5 = head[6] === 1;
  let offset = isRar5 ? rar5Signature : rar4Signature;
  let nameBytes = 0;
  for (let blocks = 0; offset < source.sizeBytes; blocks += 1) {
    const read = isRar5 ? readRar5Block : readRar4Block;
    const { next, isEnd, member, isEncrypted, isVolume } = await read(source, offset);
    nameBytes += member?.name.length ?? 0;
    if (blocks > mostBlocks || nameBytes > mostNameBytes) {
      const over = blocks > mostBlocks ? `${mostBlocks} blocks` : `${mostNameBytes} bytes of names`;
      block('archive.limit', `rar: over ${over}`, { offset });
      return;
    }
    if (isEncrypted) {
      block('rar.encrypted', 'the headers are encrypted', { offset });
      return;
    }
    if (isVolume) block('rar.multi-volume', 'another volume belongs to it', { offset });
    if (member !== null) onMember(member);
    if (next > source.sizeBytes) {
      throw new RarFault('rar.truncated', `the block at ${offset} reaches beyond the end`, offset, {
        expected: `${next} bytes`,
        found: `${source.sizeBytes} bytes`,
      });
    }
    offset = next;
    if (!isEnd) continue;
    const rest = source.sizeBytes - offset;
    if (rest > 0) block('rar.trailing', `${rest} bytes follow the end block`, { offset });
    return;
  }
  if (isRar5) throw new RarFault('rar.truncated', 'no end block', offset);
  // Archives of RAR 1.5 and 2 have none.
  warn('rar.no-end', 'the end block is missing', { offset });
}

function checkMember(member: RarMember, names: Set<string>, block: Report): void {
  const { name, offset } = member;
  const evidence = { offset, member: name };
  const unsafe = unsafeNameReason(name);
  if (unsafe !== null) block('rar.unsafe-name', `"${name}": ${unsafe}`, evidence);
  if (member.isEncrypted) block('rar.encrypted', `"${name}"`, evidence);
  if (member.isSplit) block('rar.multi-volume', `"${name}" goes on in another volume`, evidence);
  if (member.link !== null) block('rar.link', `"${name}" is ${member.link}`, evidence);
  const folded = foldedName(name);
  if (!member.isFolder && names.has(folded)) {
    block('rar.duplicate', `"${name}" appears again`, evidence);
  }
  names.add(folded);
}
