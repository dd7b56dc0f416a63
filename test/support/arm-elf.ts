/** A symbol of a 32-bit table. */
export interface Symbol32 {
  readonly name: string;
  readonly value: number;
  readonly sizeBytes: number;
  readonly info: number;
  readonly section: number;
}

/** A 32-bit ARM file with `.text` at 0x100, over and over again, a symbol table and no program header. */
export function armElf(symbols: readonly Symbol32[], { textBytes = 16, copies = 1 } = {}): Buffer {
  const names = Buffer.from(`\0.text\0${symbols.map(({ name }) => name).join('\0')}\0`);
  const nameAt = (name: string): number => names.indexOf(`\0${name}\0`) + 1;
  const table = Buffer.alloc(16 * (symbols.length + 1));
  for (const [index, { name, value, sizeBytes, info, section }] of symbols.entries()) {
    const at = 16 * (index + 1);
    table.writeUInt32LE(nameAt(name), at);
    table.writeUInt32LE(value, at + 4);
    table.writeUInt32LE(sizeBytes, at + 8);
    table.writeUInt8(info, at + 12);
    table.writeUInt16LE(section, at + 14);
  }
  const text = Buffer.from(Array.from({ length: textBytes }, (_, i) => i));
  const [textAt, tableAt] = [52, 52 + text.length];
  const namesAt = tableAt + table.length;
  const section = (...fields: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(40);
    for (const [index, value] of fields.entries()) bytes.writeUInt32LE(value, 4 * index);
    return bytes;
  };
  const sections = [
    section(),
    section(nameAt('.text'), 1, 6, 0x100, textAt, text.length),
    section(0, 2, 0, 0, tableAt, table.length, 3),
    section(0, 3, 0, 0, namesAt, names.length),
    ...Array.from({ length: copies - 1 }, () =>
      section(nameAt('.text'), 1, 6, 0x100, textAt, text.length),
    ),
  ];
  const header = Buffer.alloc(52);
  header.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(40, 18);
  header.writeUInt32LE(namesAt + names.length, 32);
  const counts = [52, 32, 0, 40, sections.length, 3];
  for (const [index, value] of counts.entries()) header.writeUInt16LE(value, 40 + 2 * index);
  return Buffer.concat([header, text, table, names, ...sections]);
}
