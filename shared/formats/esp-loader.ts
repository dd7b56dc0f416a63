/** Commands of the serial protocol of ESP ROM loaders (esptool documentation, "Serial Protocol"). */
export const espCommands = {
  flashBegin: 0x02,
  flashData: 0x03,
  flashEnd: 0x04,
  memBegin: 0x05,
  memEnd: 0x06,
  memData: 0x07,
  sync: 0x08,
  writeRegister: 0x09,
  readRegister: 0x0a,
  spiSetParameters: 0x0b,
  spiAttach: 0x0d,
  changeBaudRate: 0x0f,
  flashDeflateBegin: 0x10,
  flashDeflateData: 0x11,
  flashDeflateEnd: 0x12,
  spiFlashMd5: 0x13,
  getSecurityInfo: 0x14,
} as const;

/** What SYNC carries. */
export const espSyncPayload = Uint8Array.from([0x07, 0x07, 0x12, 0x20, ...Array(32).fill(0x55)]);

/** The register that tells older chips apart. */
export const espMagicRegister = 0x40001000;

/** Starts the flash's SPI controller on what its registers say. */
export const spiUserCommand = 1 << 18;

/** JEDEC "read identification" of a SPI flash. */
export const readFlashId = 0x9f;

/** Checksum of what a data command carries, behind its 16 bytes of header. */
export function espChecksum(data: Uint8Array): number {
  return data.reduce((sum, byte) => sum ^ byte, 0xef);
}
