import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Protocol, VirtualBoardKind } from '../../shared/domain/bench-names.ts';
import { readFirmwareImage } from '../../shared/formats/firmware-image.ts';
import { avrApp } from '../support/avr-app.ts';
import { type Bench, rawImage } from '../support/bench.ts';
import { espImage } from '../support/esp-images.ts';
import { mcubootImage } from '../support/mcuboot-builder.ts';
import { peer, pythonPeer } from '../support/peers.ts';
import { ServedBoard } from '../support/served-board.ts';

const imageBytes = 32 * 1024;
const packageVersion = 'EG800KEULCR07A07M05_01.300.01.300';
const runs = 2;
/** The goal: at most so much above the floor. */
const goal = { aboveFloor: 0.03, gang: 1.15, change: 10 } as const;

type Order = Parameters<Bench['flash']>[0];

interface Subject {
  readonly name: string;
  readonly protocol: Protocol;
  readonly kind: VirtualBoardKind;
  readonly baudRate: number;
  readonly image: () => Buffer;
  readonly options?: Partial<Order>;
  /** The time of the device, for an image of so many bytes, that no wire time hides. */
  readonly deviceMs: (sizeBytes: number) => number;
  /** Bytes that are on the wire while others are, in the other direction. */
  readonly hiddenBytes?: (sizeBytes: number) => number;
  /** Answers do not hold up the next request. */
  readonly isWindowed?: boolean;
}

const units = (sizeBytes: number, unitBytes: number): number => Math.ceil(sizeBytes / unitBytes);
const esp = {
  sectorBytes: 4096,
  sectorMs: 45,
  blockBytes: 65_536,
  blockMs: 150,
  stubBytes: 16_384,
  programMs: (sizeBytes: number) => units(sizeBytes, 256) * 0.4,
  md5Ms: (sizeBytes: number) => sizeBytes / 1000,
} as const;

/** From an address that is a multiple of 64 KiB, in whole blocks and then in sectors. */
function espEraseMs(sizeBytes: number): number {
  const blocks = Math.floor(sizeBytes / esp.blockBytes);
  const rest = sizeBytes - blocks * esp.blockBytes;
  return blocks * esp.blockMs + units(rest, esp.sectorBytes) * esp.sectorMs;
}

const stubWriteMs = (sizeBytes: number): number =>
  units(sizeBytes, esp.sectorBytes) * esp.sectorMs + esp.programMs(sizeBytes);

/** The times of the devices are those of the virtual boards, which name their sources. */
const subjects: readonly Subject[] = [
  {
    name: 'esp, ROM',
    protocol: 'esp',
    kind: 'esp32',
    baudRate: 460_800,
    image: () => espImage({ version: '1.1.0', code: randomBytes(imageBytes) }),
    deviceMs: (size) => espEraseMs(size) + esp.programMs(size) + esp.md5Ms(size),
  },
  {
    name: 'esp, stub',
    protocol: 'esp',
    kind: 'esp32',
    baudRate: 460_800,
    image: () => espImage({ version: '1.1.0', code: randomBytes(4 * imageBytes) }),
    options: { usesStub: true },
    // The stub writes a block while the next one is on the wire, which takes longer where that is a whole one.
    deviceMs: (size) => {
      const last = size % esp.stubBytes;
      const lastWireMs = (last * 10_000) / 460_800;
      const waitMs = Math.max(0, stubWriteMs(esp.stubBytes) - lastWireMs);
      return waitMs + stubWriteMs(last) + esp.md5Ms(size);
    },
  },
  {
    name: 'smp',
    protocol: 'smp',
    kind: 'smp',
    baudRate: 115_200,
    image: () => mcubootImage('1.1.0', randomBytes(imageBytes)),
    deviceMs: (size) => units(size, 4096) * 85,
    isWindowed: true,
  },
  {
    name: 'stk500',
    protocol: 'stk500',
    kind: 'optiboot',
    baudRate: 115_200,
    image: () => randomBytes(imageBytes / 2),
    // A page is erased while its bytes arrive.
    deviceMs: (size) => units(size, 128) * 3.7,
    // The answer to each address goes back while what follows it is still on the wire, when writing and when reading.
    hiddenBytes: (size) => units(size, 128) * 2 * 2,
  },
  {
    name: 'ymodem',
    protocol: 'ymodem',
    kind: 'ymodem',
    baudRate: 115_200,
    image: () => randomBytes(imageBytes),
    deviceMs: (size) => units(size, 1024) * 20 + (size / 2) * 0.0525,
  },
  {
    name: 'quectel',
    protocol: 'quectel',
    kind: 'quectel',
    baudRate: 115_200,
    image: () => Buffer.concat([randomBytes(imageBytes), Buffer.from(packageVersion)]),
    deviceMs: (size) => size / 200,
  },
];

/** From the identified board to the verified image: bytes in each direction and the time, from the recording. */
function recorded(recordingPath: string): { tx: number; rx: number; elapsedMs: number } {
  const lines = readFileSync(recordingPath, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { t: number; dir: string; hex?: string; text?: string });
  const from = lines.findIndex(({ text }) => text?.startsWith('chip'));
  const to = lines.findIndex(({ text }) => /verified/.test(text ?? ''));
  const sum = (dir: string): number =>
    lines
      .slice(from, to)
      .reduce((total, line) => total + (line.dir === dir ? (line.hex?.length ?? 0) / 2 : 0), 0);
  const elapsedMs = (lines[to]?.t ?? Number.NaN) - (lines[from]?.t ?? Number.NaN);
  return { tx: sum('tx'), rx: sum('rx'), elapsedMs };
}

/** Flashes until the image is verified and returns how long that took; nothing is said of its boot. */
async function written(bench: Bench, order: Order): Promise<number> {
  const startedMs = performance.now();
  const enough = new Error('verified');
  let verifiedMs = 0;
  const told = ({ step }: { readonly step: string }): void => {
    if (!step.startsWith('Waiting')) return;
    verifiedMs = performance.now() - startedMs;
    throw enough;
  };
  await bench.flash(order, told).catch((error: unknown) => {
    if (error !== enough) throw error;
  });
  return verifiedMs;
}

/** One row for each protocol: the quickest run from the connection to the verified image, and its floor. */
export async function protocolRows(bench: Bench): Promise<string[]> {
  const rows: string[] = [];
  for (const subject of subjects) {
    const { name, protocol, kind, baudRate, image, options = {} } = subject;
    const order = async (paced: boolean): Promise<void> => {
      const { path: port } = await bench.boards.start(kind, { paced });
      await written(bench, { port, protocol, image: rawImage(image()), ...options });
      await bench.boards.stop(port);
    };
    // A program that has not run yet is slow at first: its late answers are made good for later, below the floor.
    await order(false);
    const measured: { bytes: number; floor: number; elapsedMs: number }[] = [];
    for (let run = 0; run < runs; run++) {
      await order(true);
      const { tx, rx, elapsedMs } = recorded(bench.recordingPath);
      const size = image().length;
      const bytes = (subject.isWindowed ? tx : tx + rx) - (subject.hiddenBytes?.(size) ?? 0);
      const floor = (bytes * 10_000) / baudRate + subject.deviceMs(size);
      measured.push({ bytes, floor, elapsedMs });
    }
    const [best = { bytes: 0, floor: 0, elapsedMs: 0 }] = measured.sort(
      (a, b) => a.elapsedMs / a.floor - b.elapsedMs / b.floor,
    );
    const share = best.elapsedMs / best.floor - 1;
    rows.push(
      `| ${name} | ${baudRate} | ${best.bytes} | ${best.floor.toFixed(0)} | ${best.elapsedMs.toFixed(0)} | ${(share * 100).toFixed(1)} % | ${met(share <= goal.aboveFloor)} |`,
    );
  }
  return rows;
}

const met = (isMet: boolean): string => (isMet ? 'met' : 'missed');

/** Ours beside the usual tool, on the same kind of board over a PTY, from start to verified. */
export async function peerRows(bench: Bench): Promise<string[]> {
  const esp = espImage({ version: '1.1.0', code: randomBytes(4 * imageBytes) });
  const espFile = join(bench.folder, 'esp.bin');
  await writeFile(espFile, esp);
  const espPort = join(bench.folder, 'esp');
  const espBoard = await ServedBoard.start('esp32', espPort);
  const order = { port: espPort, protocol: 'esp' as const, image: rawImage(esp) };
  const oursEsp = await written(bench, order);
  const oursStub = await written(bench, { ...order, usesStub: true });
  const esptoolMs = await timed(() =>
    pythonPeer('esptool', ['-p', espPort, '-b', '460800', 'write-flash', '0x10000', espFile]),
  );
  const stmPort = join(bench.folder, 'stm');
  const stmBoard = await ServedBoard.start('stm32', stmPort);
  const stmBytes = randomBytes(imageBytes);
  const stmFile = join(bench.folder, 'stm.bin');
  await writeFile(stmFile, stmBytes);
  const oursStm = await written(bench, {
    port: stmPort,
    protocol: 'stm32',
    image: rawImage(stmBytes),
  });
  // With -S it erases the pages that the image touches, as ours does, and not the whole chip.
  const where = ['-S', `0x08000000:${imageBytes}`];
  const stmLine = ['-b', '115200', '-m', '8n1', '-w', stmFile, '-v', ...where, stmPort];
  const stm32flashMs = await timed(() => peer('stm32flash', stmLine));
  const app = await avrApp(bench.folder, { version: '1.1.0', fillerBytes: 6000 });
  const unoPort = join(bench.folder, 'uno');
  const unoBoard = await ServedBoard.start('optiboot', unoPort);
  const oursUno = await written(bench, {
    port: unoPort,
    protocol: 'stk500',
    image: readFirmwareImage('app.hex', app.bytes),
  });
  const uno = ['-c', 'arduino', '-p', 'atmega328p', '-b', '115200', '-P', unoPort, '-D', '-U'];
  const avrdudeMs = await timed(() => peer('avrdude', [...uno, `flash:w:${app.path}:i`]));
  for (const board of [espBoard, stmBoard, unoBoard]) await board.stop();
  const row = (name: string, ours: number, tool: string, toolMs: number): string =>
    `| ${name} | ${ours.toFixed(0)} | ${tool} | ${toolMs.toFixed(0)} | ${(toolMs / ours).toFixed(2)} × |`;
  return [
    row('STM32F103, 32 KiB at 115200', oursStm, 'stm32flash', stm32flashMs),
    row('ESP32, 128 KiB at 460800, ROM', oursEsp, 'esptool', esptoolMs),
    row('ESP32, 128 KiB at 460800, stub', oursStub, 'esptool', esptoolMs),
    row('Optiboot, 6 KiB', oursUno, 'avrdude', avrdudeMs),
  ];
}

async function timed(work: () => Promise<{ code: number; stderr: string }>): Promise<number> {
  const startedMs = performance.now();
  const { code, stderr } = await work();
  if (code !== 0) throw new Error(stderr);
  return performance.now() - startedMs;
}

/** How much longer eight boards take than one. */
export async function gangText(bench: Bench): Promise<string> {
  const bytes = randomBytes(16 * 1024);
  const ports = await Promise.all(
    Array.from(
      { length: 8 },
      async () => (await bench.boards.start('stm32', { paced: true })).path,
    ),
  );
  const flash = (port: string) =>
    written(bench, { port, protocol: 'stm32', image: rawImage(bytes) });
  const one = await flash(ports[0] ?? '');
  const startedMs = performance.now();
  await Promise.all(ports.map(flash));
  const gang = (performance.now() - startedMs) / one;
  return `Eight STM32 boards at once take ${gang.toFixed(2)} × the time of one: the goal of ${goal.gang} × is ${met(gang <= goal.gang)}.`;
}

/** A board that compares by sectors, and what is flashed on it. */
interface Changing {
  readonly name: string;
  readonly protocol: Protocol;
  readonly kind: VirtualBoardKind;
  readonly sizeBytes: number;
  readonly compares: string;
  readonly image: (code: Buffer) => Buffer;
}

const changing: readonly Changing[] = [
  {
    name: 'ESP32, 512 KiB',
    protocol: 'esp',
    kind: 'esp32',
    sizeBytes: 512 * 1024,
    compares: 'MD5 told by the chip',
    image: (code) => espImage({ version: '1.0.0', code, hashed: true }),
  },
  {
    name: 'STM32F103, 64 KiB',
    protocol: 'stm32',
    kind: 'stm32',
    sizeBytes: 64 * 1024,
    compares: 'read-back',
    image: (code) => code,
  },
  {
    name: 'Optiboot, 16 KiB',
    protocol: 'stk500',
    kind: 'optiboot',
    sizeBytes: 16 * 1024,
    compares: 'read-back',
    image: (code) => code,
  },
];

/** How much quicker a change of one percent is flashed than all, where a protocol can compare. */
export async function changeRows(bench: Bench): Promise<string[]> {
  const rows: string[] = [];
  for (const { name, protocol, kind, sizeBytes, compares, image } of changing) {
    const { path: port } = await bench.boards.start(kind, { paced: true });
    const code = randomBytes(sizeBytes);
    const flash = async (changedOnly: boolean): Promise<number> => {
      await written(bench, { port, protocol, image: rawImage(image(code)), changedOnly });
      return recorded(bench.recordingPath).elapsedMs;
    };
    const whole = await flash(false);
    const from = Math.floor(sizeBytes * 0.4);
    code.fill(0, from, from + Math.floor(sizeBytes / 100));
    const changed = await flash(true);
    await bench.boards.stop(port);
    const ratio = whole / changed;
    rows.push(
      `| ${name} | ${compares} | ${whole.toFixed(0)} | ${changed.toFixed(0)} | ${ratio.toFixed(1)} × | ${met(ratio >= goal.change)} |`,
    );
  }
  return rows;
}
