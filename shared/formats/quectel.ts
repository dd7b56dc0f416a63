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

/** What `+QIOTEVT` tells of an upgrade, type 7 (Quectel developer documentation, QIOT AT commands). */
export const qiotOta = {
  type: 7,
  plan: 10700,
  downloadStarts: 10701,
  downloading: 10702,
  block: 10703,
  updating: 10704,
  success: 10705,
  failed: 10706,
} as const;

/** Bytes that one `AT+QIOTOTARD` may ask for. */
export const qiotMostBytes = 4096;

/** Why a module is not connected to its cloud, by type and code of `+QIOTEVT`. */
const qiotFaults: Readonly<Record<string, string>> = {
  '2,10430': 'the device secret is wrong',
  '2,10431': 'the device is disabled in the cloud',
  '2,10471': 'the cloud does not support the version of the module',
  '2,10473': 'the heartbeat had no answer',
  '2,10474': 'the network is not reached',
  '2,10475': 'the server has changed',
  '2,10476': 'the access point is not reached',
  '3,10300': 'the cloud refused the subscription',
  '8,10428': 'the device sends too many messages',
  '8,10429': 'the limit of activations or of messages a day is reached',
};

/** What a report says went wrong, in words; null when it reports no fault. */
export function qiotFaultText(type: number, code: number): string | null {
  const known = qiotFaults[`${type},${code}`];
  if (known !== undefined) return `${known} (${type},${code})`;
  return type === 1 && code !== 10200 ? `the cloud did not let the device in (1,${code})` : null;
}

/** An error code in words; ranges that the manuals give one meaning are folded. */
export function fotaErrorText(code: number): string {
  const known = fotaErrors[code];
  if (known !== undefined) return `${known} (${code})`;
  const isUpgrade = (code >= 520 && code <= 530) || (code >= 540 && code <= 546);
  return isUpgrade ? `the upgrade failed (${code})` : `error ${code}, which no manual explains`;
}
