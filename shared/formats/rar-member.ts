/** A file, folder or link in a RAR archive, as its header describes it. */
export interface RarMember {
  readonly name: string;
  /** Of the header. */
  readonly offset: number;
  /** Undefined when the header does not tell it. */
  readonly sizeBytes: number | undefined;
  readonly crc32: number | undefined;
  readonly dictionaryBytes: number;
  readonly isFolder: boolean;
  readonly isEncrypted: boolean;
  /** Whether a part of its data stands in another volume. */
  readonly isSplit: boolean;
  /** What kind of link it is and where it points to. */
  readonly link: string | null;
}

/** One block of an archive. */
export interface RarBlock {
  /** Where the next block begins. */
  readonly next: number;
  readonly isEnd: boolean;
  readonly member: RarMember | null;
  /** Whether its headers and data are only readable with a password. */
  readonly isEncrypted: boolean;
  /** Whether another volume belongs to the archive. */
  readonly isVolume: boolean;
}

/** What breaks a header: what it is, and where in the file. */
export class RarFault extends Error {
  readonly rule: 'rar.damaged' | 'rar.truncated';
  readonly offset: number;
  readonly values: { readonly expected: string; readonly found: string } | undefined;

  constructor(
    rule: 'rar.damaged' | 'rar.truncated',
    what: string,
    offset: number,
    values?: { readonly expected: string; readonly found: string },
  ) {
    super(what);
    this.rule = rule;
    this.offset = offset;
    this.values = values;
  }
}

/** @throws RarFault when the sums differ */
export function expectRarCrc(stored: number, actual: number, offset: number): void {
  if (stored === actual) return;
  const values = { expected: stored.toString(16), found: actual.toString(16) };
  throw new RarFault('rar.damaged', 'header CRC', offset, values);
}
