/** Checksum of Quectel's file commands: XOR of big-endian 16-bit words, an odd last byte counts as the high one. */
export function fileChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2)
    sum ^= ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return sum;
}

/** Bytes that a module acknowledges with one `A` each, in ACK mode of `AT+QFUPL`. */
export const ackEveryBytes = 1024;

/** Why `AT+QFOTADL` ended (Quectel EP06 DFOTA manual; EC800K/EG800K, FOTA user guide V1.4), in words. */
const fotaErrors: Readonly<Record<number, string>> = {
  502: 'the module left the upgrade for a reason it does not tell',
  504: 'the package is wrong, or the upgrade failed',
  505: 'the package did not pass its check',
  506: 'the MD5 of the firmware is wrong',
  507: 'the package is not for the version that the module runs',
  510: 'the patch does not match the firmware that the module runs',
  511: 'the module has not enough space',
  552: 'the package is for another project',
  553: 'the package is for another baseline',
  601: 'FTP: unknown error',
  701: 'HTTP(S): unknown error',
};

/** An error code in words; ranges that the manuals give one meaning are folded. */
export function fotaErrorText(code: number): string {
  const known = fotaErrors[code];
  if (known !== undefined) return `${known} (${code})`;
  const isUpgrade = (code >= 520 && code <= 530) || (code >= 540 && code <= 546);
  return isUpgrade ? `the upgrade failed (${code})` : `error ${code}, which no manual explains`;
}
