import type { Protocol } from '../../../shared/domain/bench-names.ts';
import type { FlashProtocol } from './flasher.ts';
import { EspFlasher } from './esp/esp-flasher.ts';
import { QiotFlasher } from './quectel/qiot-flasher.ts';
import { QuectelFlasher } from './quectel/quectel-flasher.ts';
import { Stk500Flasher } from './stk500/stk500-flasher.ts';
import { Stm32Flasher } from './stm32/stm32-flasher.ts';
import { ModemFlasher } from './modem/modem-flasher.ts';

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
  smp: {
    line: { baudRate: 115_200, parity: 'none' },
    // With its CBOR, which nothing else of the program needs.
    open: async (channel) => new (await import('./smp/smp-flasher.ts')).SmpFlasher(channel),
  },
  stk500: {
    line: { baudRate: 115_200, parity: 'none' },
    open: (channel, options) => new Stk500Flasher(channel, options),
  },
  ymodem: {
    line: { baudRate: 115_200, parity: 'none' },
    sendsFile: true,
    open: (channel, options) => new ModemFlasher(channel, options, 'ymodem'),
  },
  xmodem: {
    line: { baudRate: 115_200, parity: 'none' },
    sendsFile: true,
    open: (channel, options) => new ModemFlasher(channel, options, 'xmodem'),
  },
  quectel: {
    line: { baudRate: 115_200, parity: 'none' },
    sendsFile: true,
    open: (channel, options) => new QuectelFlasher(channel, options),
  },
  qiot: {
    line: { baudRate: 115_200, parity: 'none' },
    sendsFile: true,
    open: (channel, options) => new QiotFlasher(channel, options),
  },
};
