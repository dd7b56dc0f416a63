/** S-records (S3, 32 bytes each) of runs of bytes at addresses, with header and end record. */
export function sRecords(...runs: readonly (readonly [address: number, bytes: Buffer])[]): string {
  return ['S00600004844521B', ...runs.flatMap(dataRecords), 'S70500000000FA', ''].join('\n');
}

function dataRecords([address, bytes]: readonly [number, Buffer]): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 32) {
    const data = bytes.subarray(at, at + 32);
    const head = Buffer.alloc(5);
    head[0] = data.length + 5;
    head.writeUInt32BE(address + at, 1);
    const record = Buffer.concat([head, data]);
    const checksum = Buffer.from([~record.reduce((sum, byte) => sum + byte, 0)]);
    lines.push(`S3${Buffer.concat([record, checksum]).toString('hex').toUpperCase()}`);
  }
  return lines;
}
