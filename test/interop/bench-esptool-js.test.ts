import { createHash, randomBytes } from 'node:crypto';
import { ESPLoader, Transport } from 'esptool-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SerialLink } from '../../electron/core/bench/serial-link.ts';
import { type Bench, openBench } from '../support/bench.ts';
import { espImage } from '../support/esp-images.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

/** A line as the serial port of a browser, which is what esptool-js speaks to. */
function asWebSerial(open: (baudRate: number) => Promise<SerialLink>) {
  let link: SerialLink | null = null;
  const signals = { dtr: false, rts: false };
  return {
    readable: null as ReadableStream<Uint8Array> | null,
    writable: null as WritableStream<Uint8Array> | null,
    async open({ baudRate }: { readonly baudRate: number }) {
      const opened = await open(baudRate);
      link = opened;
      this.readable = new ReadableStream({
        start: (controller) => opened.onData((bytes) => controller.enqueue(Uint8Array.from(bytes))),
      });
      this.writable = new WritableStream({ write: (bytes) => opened.write(bytes) });
    },
    close: async () => link?.close(),
    setBaudRate: async (baudRate: number) => link?.setLine({ baudRate, parity: 'none' }),
    getInfo: () => ({}),
    async setSignals(wanted: { dataTerminalReady?: boolean; requestToSend?: boolean }) {
      signals.dtr = wanted.dataTerminalReady ?? signals.dtr;
      signals.rts = wanted.requestToSend ?? signals.rts;
      await link?.setSignals(signals);
    },
  };
}

test('esptool-js loads its stub into the virtual ESP32, writes, and finds the MD5 right', async () => {
  const { path } = await bench.boards.start('esp32');
  const device = asWebSerial((baudRate) =>
    bench.boards.opener()(path, { baudRate, parity: 'none' }),
  );
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const loader = new ESPLoader({
    transport: new Transport(device as never),
    baudrate: 460_800,
    terminal: { clean: () => undefined, write: say, writeLine: say },
  });
  expect(await loader.main()).toMatch(/^ESP32/);
  const data = new Uint8Array(espImage({ version: '2.5.0', code: randomBytes(60_000) }));
  await loader.writeFlash({
    fileArray: [{ data, address: 0x10000 }],
    flashMode: 'keep',
    flashFreq: 'keep',
    flashSize: 'keep',
    eraseAll: false,
    compress: true,
    calculateMD5Hash: (bytes) => createHash('md5').update(bytes).digest('hex'),
  });
  expect(said.join('\n')).toMatch(/Running stub/i);
  expect(said.join('\n')).toMatch(/Hash of data verified/);
});
