import { expect, test } from 'vitest';
import { ByteChannel } from '../../electron/core/bench/byte-channel.ts';
import type { SerialLink } from '../../electron/core/bench/serial-link.ts';
import { Stm32Bootloader } from '../../electron/core/bench/stm32/stm32-bootloader.ts';

/** A line that acknowledges the first `answers` bytes it is asked for and then says nothing. */
function silentAfter(answers: number, isPresent: boolean): SerialLink {
  let left = answers;
  let listener: (bytes: Uint8Array) => void = () => undefined;
  return {
    async write() {
      if (left-- > 0) listener(Uint8Array.of(0x79));
    },
    onData(next) {
      listener = next;
    },
    onLost: () => undefined,
    isPresent: async () => isPresent,
    setLine: async () => undefined,
    setSignals: async () => false,
    close: async () => undefined,
  };
}

const writeOn = (link: SerialLink) =>
  new Stm32Bootloader(new ByteChannel(link, '/dev/board', new AbortController().signal)).write(
    0x0800_0000,
    new Uint8Array(4),
  );

test('silence on a port whose device file is gone is a lost port, although nobody told', async () => {
  await expect(writeOn(silentAfter(1, false))).rejects.toMatchObject({
    problem: { code: 'port-lost' },
  });
});

test('silence on a port that is there is a silent bootloader', async () => {
  await expect(writeOn(silentAfter(1, true))).rejects.toMatchObject({
    problem: { code: 'bootloader-silent' },
  });
});
