import { Armv6m } from './armv6m.ts';

const flashStart = 0x08000000;
const ramStart = 0x20000000;
const ramBytes = 20 * 1024;
const uartStatus = 0x40013800;
const uartData = 0x40013804;
const stepsPerSlice = 20_000;

/** An STM32 that runs an image from its flash and prints on USART1; a fault or a stop ends it silently, as on silicon. */
export class CortexMcu {
  readonly #core: Armv6m;
  #printed: number[] = [];

  /** Starts at the vector table at `address`; the flash is taken as it is now. */
  constructor(flash: Uint8Array, address = flashStart) {
    this.#core = new Armv6m({
      regions: [
        { start: flashStart, bytes: flash.slice(), isWritable: false },
        { start: ramStart, bytes: new Uint8Array(ramBytes), isWritable: true },
      ],
      readDevice: (at) => (at === uartStatus ? 0xc0 : 0),
      writeDevice: (at, value) => {
        if (at === uartData) this.#printed.push(value & 0xff);
      },
    });
    this.#core.reset(address);
  }

  /** Runs one slice, so that the host's event loop goes on. */
  run(): { readonly isAlive: boolean; readonly printed: readonly number[] } {
    const isAlive = this.#core.run(stepsPerSlice);
    const printed = this.#printed;
    this.#printed = [];
    return { isAlive, printed };
  }
}
