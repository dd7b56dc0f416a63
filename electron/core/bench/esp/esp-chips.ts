/** Where a chip keeps what the flasher asks for (esptool, target descriptions; technical reference manuals). */
export interface EspChip {
  readonly name: string;
  /** In the header of its images, and what GET_SECURITY_INFO tells. */
  readonly imageChipId: number;
  /** Value of the register at 0x4000_1000 of chips without GET_SECURITY_INFO. */
  readonly magic?: number;
  /** Where its second-stage bootloader lies in the flash. */
  readonly bootloaderAddress: number;
  readonly macRegister: number;
  readonly spi: SpiRegisters;
}

/** Registers of the SPI controller of the flash. */
export interface SpiRegisters {
  readonly base: number;
  /** Offsets from `base`. */
  readonly user: number;
  readonly user2: number;
  readonly readLength: number;
  readonly data: number;
}

const oldSpi = { user: 0x1c, user2: 0x24, readLength: 0x2c, data: 0x80 } as const;
const newSpi = { user: 0x18, user2: 0x20, readLength: 0x28, data: 0x58 } as const;

/** The chips that can be flashed. */
export const espChips: readonly EspChip[] = [
  {
    name: 'ESP32',
    imageChipId: 0,
    magic: 0x00f01d83,
    bootloaderAddress: 0x1000,
    macRegister: 0x3ff5a004,
    spi: { base: 0x3ff42000, ...oldSpi },
  },
  {
    name: 'ESP32-S2',
    imageChipId: 2,
    magic: 0x000007c6,
    bootloaderAddress: 0x1000,
    macRegister: 0x3f41a044,
    spi: { base: 0x3f402000, ...newSpi },
  },
  {
    name: 'ESP32-C3',
    imageChipId: 5,
    bootloaderAddress: 0,
    macRegister: 0x60008844,
    spi: { base: 0x60002000, ...newSpi },
  },
  {
    name: 'ESP32-S3',
    imageChipId: 9,
    bootloaderAddress: 0,
    macRegister: 0x60007044,
    spi: { base: 0x60002000, ...newSpi },
  },
  {
    name: 'ESP32-C2',
    imageChipId: 12,
    bootloaderAddress: 0,
    macRegister: 0x60008840,
    spi: { base: 0x60002000, ...newSpi },
  },
  {
    name: 'ESP32-C6',
    imageChipId: 13,
    bootloaderAddress: 0,
    macRegister: 0x600b0844,
    spi: { base: 0x60003000, ...newSpi },
  },
  {
    name: 'ESP32-H2',
    imageChipId: 16,
    bootloaderAddress: 0,
    macRegister: 0x600b0844,
    spi: { base: 0x60003000, ...newSpi },
  },
];
