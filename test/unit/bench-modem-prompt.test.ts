import { expect, test } from 'vitest';
import { ByteChannel } from '../../electron/core/bench/byte-channel.ts';
import { ModemFlasher } from '../../electron/core/bench/modem/modem-flasher.ts';
import type { SerialLink } from '../../electron/core/bench/serial-link.ts';

/** A bootloader that says `start` piece by piece, and its version when it is asked for. */
function bootloader(start: readonly string[], pauseMs: number): SerialLink {
  const listeners: ((bytes: Uint8Array) => void)[] = [];
  const say = (text: string): void => {
    for (const listener of listeners) listener(Buffer.from(text));
  };
  start.forEach((piece, index) => void setTimeout(() => say(piece), (index + 1) * pauseMs));
  return {
    write: async (bytes) => {
      if (Buffer.from(bytes).toString() === 'version\r') say('version\r\nU-Boot 2023.01\r\n=> ');
    },
    onData: (listener) => void listeners.push(listener),
    onLost: () => undefined,
    isPresent: async () => true,
    setLine: async () => undefined,
    setSignals: async () => false,
    close: async () => undefined,
  };
}

const connect = (link: SerialLink) => {
  const channel = new ByteChannel(link, '/dev/board', new AbortController().signal);
  const options = { changedOnly: false, baudRate: 115_200, connectBaudRate: 115_200, keepOut: [] };
  return new ModemFlasher(channel, { ...options, usesStub: false }, 'ymodem').connect();
};

test('a start message that pauses behind a capital C is not taken for the call for a file', async () => {
  const words = ['U-Boot 2023.01\r\n', 'C', 'ore:  47 devices\r\n', '=> '];
  expect(await connect(bootloader(words, 60))).toMatchObject({
    chip: 'U-Boot 2023.01',
    remark: 'at its prompt',
  });
});

test('a letter that stands alone is the call', async () => {
  expect(await connect(bootloader(['loader 1.0\r\n', 'C'], 20))).toMatchObject({
    remark: 'it waits for a file',
  });
});
