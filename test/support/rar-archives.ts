import { crc32 } from 'node:zlib';

/** A member of a RAR 5 archive, stored: true fields, unless they are given. */
export interface RarPart {
  readonly name: string;
  readonly content: Uint8Array;
  readonly crc32?: number;
  readonly sizeBytes?: number;
  /** The dictionary has 128 KiB times two to this power. */
  readonly dictionary?: number;
  readonly method?: number;
}

function number(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

function block(fields: readonly number[], data: Uint8Array = new Uint8Array()): Buffer {
  const sized = Buffer.from([...number(fields.length), ...fields]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(sized));
  return Buffer.concat([sum, sized, data]);
}

/** A RAR 5 archive of the parts. */
export function rarOf(parts: readonly RarPart[]): Buffer {
  const members = parts.map(({ name, content, dictionary = 0, method = 0, ...lies }) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(lies.crc32 ?? crc32(content));
    const text = Buffer.from(name);
    const [fileWithData, hasCrc, unix] = [[2, 2], 4, 1];
    return block(
      [
        ...fileWithData,
        ...number(content.length),
        hasCrc,
        ...number(lies.sizeBytes ?? content.length),
        ...number(0o100644),
        ...sum,
        ...number((method << 7) | (dictionary << 10)),
        unix,
        ...number(text.length),
        ...text,
      ],
      content,
    );
  });
  const signature = Buffer.from('526172211a070100', 'hex');
  return Buffer.concat([signature, block([1, 0, 0]), ...members, block([5, 0, 0])]);
}
