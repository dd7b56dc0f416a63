import {
  espMagicRegister,
  readFlashId,
  spiUserCommand,
} from '../../../shared/formats/esp-loader.ts';

const magic = 0x00f01d83;
const fuses = 0x3ff5a000;
const spi = 0x3ff42000;
const spiUser2 = spi + 0x24;
const spiData = spi + 0x80;
const uartDivider = 0x3ff40014;
/** A 40 MHz crystal at 115200 baud. */
const dividerValue = Math.round(40_000_000 / 115_200);
const firstMacLow = 0x12c4_8e5a;
const winbond = 0xef;
const winbondFamily = 0x40;

/** The registers of an ESP32 that a host reads: chip, fuses with the MAC address, crystal, and the flash behind its SPI controller. */
export class Esp32Registers {
  readonly #values = new Map<number, number>([
    [espMagicRegister, magic],
    [uartDivider, dividerValue],
    [fuses + 8, 0x00a4_240a],
    [fuses + 12, 1 << 15],
  ]);
  readonly #flashId: number;

  /** `unit` tells its MAC address from that of others. */
  constructor(flashBytes: number, unit: number) {
    this.#values.set(fuses + 4, firstMacLow + unit);
    this.#flashId = (Math.log2(flashBytes) << 16) | (winbondFamily << 8) | winbond;
  }

  read(address: number): number {
    return this.#values.get(address) ?? 0;
  }

  write(address: number, value: number): void {
    if (address !== spi) return void this.#values.set(address, value);
    if ((value & spiUserCommand) === 0) return;
    // Commands other than the identification are answered with an idle, unprotected flash.
    const command = this.read(spiUser2) & 0xff;
    this.#values.set(spiData, command === readFlashId ? this.#flashId : 0);
  }
}
