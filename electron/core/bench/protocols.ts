import type { Protocol } from '../../../shared/domain/bench.ts';
import type { FlashProtocol } from './flasher.ts';
import { EspFlasher } from './esp/esp-flasher.ts';
import { Stm32Flasher } from './stm32/stm32-flasher.ts';

/** Every protocol that the bench speaks. */
export const protocols: Readonly<Record<Protocol, FlashProtocol>> = {
  stm32: {
    line: { baudRate: 115_200, parity: 'even' },
    open: (channel, options) => new Stm32Flasher(channel, options),
  },
  esp: {
    line: { baudRate: 115_200, parity: 'none' },
    workBaudRate: 460_800,
    open: (channel, options) => new EspFlasher(channel, options),
  },
};
