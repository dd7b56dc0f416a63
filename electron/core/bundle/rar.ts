import { crc32 } from 'node:zlib';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { readRarHeaders } from '../../../shared/formats/rar.ts';
import type { RarMember } from '../../../shared/formats/rar-member.ts';
import { sumText } from '../../../shared/formats/crc32.ts';
import type { Evidence } from '../../../shared/formats/report.ts';
import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import { ContentFault } from './content-fault.ts';
import { isBomb } from './limits.ts';
import { RarEngineLost, RarSession } from './rar-session.ts';
import { type Inside, nothingKnown, type Reading } from './reading.ts';

const mostDictionaryBytes = 64 * 1024 * 1024;

/**
 * Reads a RAR archive: headers by our own walk, the members' data by an engine, with our own check
 * of length and CRC-32, since the engine may return less than the header tells and say nothing.
 * Each member is inspected as a file of its own.
 */
export async function readRar(source: ByteSource, reading: Reading): Promise<Inside> {
  const { findings } = reading;
  const members = await readRarHeaders(source, findings.add);
  if (members === null || !canUnpack(members, source, reading)) return nothingKnown;
  const session = new RarSession(source);
  try {
    await new RarRun(session, members, source, reading).run();
    findings.intact(`rar: ${members.length} members, every CRC-32 is right`);
  } catch (error) {
    if (error instanceof RarEngineLost) {
      findings.add('rar.not-unpacked', `the engine was ended: ${error.message}`);
    } else ContentFault.tell(error, reading);
  } finally {
    await session.end();
  }
  return nothingKnown;
}

/** What the headers announce must be within the limits before anything is unpacked. */
function canUnpack(
  members: readonly RarMember[],
  source: ByteSource,
  { findings }: Reading,
): boolean {
  const sizeBytes = members.reduce((sum, member) => sum + (member.sizeBytes ?? 0), 0);
  if (isBomb(sizeBytes, source.sizeBytes)) {
    findings.add('rar.bomb', `${source.sizeBytes} bytes unpack to ${sizeBytes} bytes or more`);
    return false;
  }
  const absurd = members.find((member) => member.dictionaryBytes > mostDictionaryBytes);
  if (absurd === undefined) return true;
  findings.add('rar.not-unpacked', `"${absurd.name}": size of the dictionary`, {
    offset: absurd.offset,
    member: absurd.name,
    expected: `at most ${mostDictionaryBytes} bytes`,
    found: `${absurd.dictionaryBytes} bytes`,
  });
  return false;
}

class RarRun {
  readonly #session: RarSession;
  readonly #members: readonly RarMember[];
  readonly #source: ByteSource;
  readonly #reading: Reading;
  readonly #unpacked = new Set<RarMember>();
  #totalBytes = 0;
  /** Whether the engine has unpacked all of the present member. */
  #isAtEnd = false;

  constructor(
    session: RarSession,
    members: readonly RarMember[],
    source: ByteSource,
    reading: Reading,
  ) {
    this.#session = session;
    this.#members = members;
    this.#source = source;
    this.#reading = reading;
  }

  /** @throws RarEngineLost, ContentFault when the rest cannot be unpacked */
  async run(): Promise<void> {
    for (;;) {
      const request = await this.#session.next();
      if (request.kind === 'done') return this.#checkAll(request.members);
      if (request.kind === 'failed') {
        // The engine calls it an error that an archive of RAR 1.5 or 2 has no end block.
        if (this.#leftOver() === undefined) return;
        this.#fail(request.reason, undefined);
      }
      if (request.kind === 'begin') await this.#unpack(request.index);
      this.#session.goOn();
    }
  }

  async #unpack(index: number): Promise<void> {
    const member = this.#members[index];
    if (member === undefined) throw this.#fault('rar.damaged', 'more members than headers');
    this.#unpacked.add(member);
    const { name } = member;
    const chunks = this.#content(member);
    try {
      await this.#reading.onMember({ name, path: name, chunks });
    } catch (error) {
      // Only a sum that differs leaves the engine where it can go on.
      if (!this.#isAtEnd) throw error;
      ContentFault.tell(error, this.#reading);
    } finally {
      await chunks.return(undefined);
    }
  }

  async *#content(member: RarMember): AsyncGenerator<Uint8Array, void> {
    this.#isAtEnd = false;
    let sizeBytes = 0;
    let sum = 0;
    for (;;) {
      this.#session.goOn();
      const request = await this.#session.next();
      if (request.kind === 'failed') this.#fail(request.reason, member);
      if (request.kind !== 'data') break;
      const bytes = this.#session.data(request.length);
      sizeBytes += bytes.length;
      sum = crc32(bytes, sum);
      this.#count(bytes.length, member);
      yield bytes;
    }
    this.#isAtEnd = true;
    if (sizeBytes !== (member.sizeBytes ?? sizeBytes)) {
      const values = { expected: `${member.sizeBytes} bytes`, found: `${sizeBytes} bytes` };
      throw this.#fault('rar.crc', 'its data ends early', member, values);
    }
    if (sum !== (member.crc32 ?? sum)) {
      const values = { expected: sumText(member.crc32 ?? 0), found: sumText(sum) };
      throw this.#fault('rar.crc', 'CRC-32', member, values);
    }
  }

  #count(sizeBytes: number, member: RarMember): void {
    this.#totalBytes += sizeBytes;
    this.#reading.budget.countUnpacked(sizeBytes);
    if (!isBomb(this.#totalBytes, this.#source.sizeBytes)) return;
    const what = `${this.#source.sizeBytes} bytes unpack to more than ${this.#totalBytes} bytes`;
    throw this.#fault('rar.bomb', what, member);
  }

  /** Two readers of the headers must see the same members. */
  #checkAll(seen: number): void {
    if (seen !== this.#members.length) {
      const values = { expected: `${this.#members.length}`, found: `${seen}` };
      throw this.#fault('rar.damaged', 'the engine sees other members', undefined, values);
    }
    const left = this.#leftOver();
    if (left !== undefined) throw this.#fault('rar.crc', 'nothing could be unpacked', left);
  }

  #leftOver(): RarMember | undefined {
    return this.#members.find((member) => !member.isFolder && !this.#unpacked.has(member));
  }

  #fail(reason: string, member: RarMember | undefined): never {
    const isMemory = reason === 'ERAR_NO_MEMORY';
    const what = isMemory ? 'it needs too much memory' : `the engine says ${reason}`;
    throw this.#fault(isMemory ? 'rar.not-unpacked' : 'rar.crc', what, member);
  }

  #fault(rule: BundleRuleId, what: string, member?: RarMember, values: Evidence = {}): Error {
    if (member === undefined) return new ContentFault(this.#reading, rule, what, values);
    const { name, offset } = member;
    const evidence = { offset, member: name, ...values };
    return new ContentFault(this.#reading, rule, `"${name}": ${what}`, evidence);
  }
}
