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

const imageBytes = 32 * 1024;
const packageVersion = 'EG800KEULCR07A07M05_01.300.01.300';

interface Subject {
  readonly protocol: Protocol;
  readonly kind: VirtualBoardKind;
  readonly baudRate: number;
  readonly image: () => Buffer;
  /** The time of the device that no wire time hides. */
  readonly deviceMs: number;
  /** Answers do not hold up the next request. */
  readonly isWindowed?: boolean;
}

const pages = (size: number): number => Math.ceil(imageBytes / size);

/** The times of the devices are those of the virtual boards, which name their sources. */
const subjects: readonly Subject[] = [
  {
    protocol: 'esp',
    kind: 'esp32',
    baudRate: 460_800,
    image: () => espImage({ version: '1.1.0', code: randomBytes(imageBytes) }),
    deviceMs: (pages(4096) + 1) * 45 + pages(256) * 0.4,
  },
  {
    protocol: 'smp',
    kind: 'smp',
    baudRate: 115_200,
    image: () => mcubootImage('1.1.0', randomBytes(imageBytes)),
    deviceMs: (pages(4096) + 1) * 85,
    isWindowed: true,
  },
  {
    protocol: 'ymodem',
    kind: 'ymodem',
    baudRate: 115_200,
    image: () => randomBytes(imageBytes),
    deviceMs: pages(1024) * 20 + (imageBytes / 2) * 0.0525,
  },
  {
    protocol: 'quectel',
    kind: 'quectel',
    baudRate: 115_200,
    image: () => Buffer.concat([randomBytes(imageBytes), Buffer.from(packageVersion)]),
    deviceMs: imageBytes / 200,
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
async function written(bench: Bench, order: Parameters<Bench['flash']>[0]): Promise<number> {
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

/** One row for each protocol: what was measured from the connection to the verified image, and its floor. */
export async function protocolRows(bench: Bench): Promise<{ rows: string[]; worst: number }> {
  const rows: string[] = [];
  let worst = 0;
  for (const { protocol, kind, baudRate, image, deviceMs, isWindowed } of subjects) {
    const { path: port } = await bench.boards.start(kind, { paced: true });
    await written(bench, { port, protocol, image: rawImage(image()) });
    const { tx, rx, elapsedMs } = recorded(bench.recordingPath);
    const bytes = isWindowed ? tx : tx + rx;
    const floor = (bytes * 10_000) / baudRate + deviceMs;
    const share = elapsedMs / floor - 1;
    worst = Math.max(worst, share);
    rows.push(
      `| ${protocol} | ${baudRate} | ${bytes} | ${floor.toFixed(0)} | ${elapsedMs.toFixed(0)} | ${(share * 100).toFixed(1)} % |`,
    );
    await bench.boards.stop(port);
  }
  return { rows, worst };
}

/** Ours beside the usual tool, on the same kind of board over a PTY, from start to verified. */
export async function peerRows(bench: Bench): Promise<string[]> {
  const esp = espImage({ version: '1.1.0', code: randomBytes(4 * imageBytes) });
  const espFile = join(bench.folder, 'esp.bin');
  await writeFile(espFile, esp);
  const espPort = join(bench.folder, 'esp');
  await bench.boards.start('esp32', { linkPath: espPort, paced: true });
  const order = { port: espPort, protocol: 'esp' as const, image: rawImage(esp) };
  const oursEsp = await written(bench, order);
  const esptoolMs = await timed(() =>
    pythonPeer('esptool', ['-p', espPort, '-b', '460800', 'write-flash', '0x10000', espFile]),
  );
  const app = await avrApp(bench.folder, { version: '1.1.0', fillerBytes: 6000 });
  const unoPort = join(bench.folder, 'uno');
  await bench.boards.start('optiboot', { linkPath: unoPort });
  const oursUno = await written(bench, {
    port: unoPort,
    protocol: 'stk500',
    image: readFirmwareImage('app.hex', app.bytes),
  });
  const uno = ['-c', 'arduino', '-p', 'atmega328p', '-b', '115200', '-P', unoPort, '-D', '-U'];
  const avrdudeMs = await timed(() => peer('avrdude', [...uno, `flash:w:${app.path}:i`]));
  const row = (name: string, ours: number, tool: string, toolMs: number): string =>
    `| ${name} | ${ours.toFixed(0)} | ${tool} | ${toolMs.toFixed(0)} | ${(toolMs / ours).toFixed(2)} × |`;
  return [
    row('ESP32, 128 KiB at 460800', oursEsp, 'esptool', esptoolMs),
    row('Optiboot, 6 KiB', oursUno, 'avrdude', avrdudeMs),
  ];
}

async function timed(work: () => Promise<{ code: number; stderr: string }>): Promise<number> {
  const startedMs = performance.now();
  const { code, stderr } = await work();
  if (code !== 0) throw new Error(stderr);
  return performance.now() - startedMs;
}

/** How much longer eight boards take than one, and how much less a change of one percent takes than all. */
export async function gangAndChange(bench: Bench): Promise<{ gang: number; change: number }> {
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
  const { path: port } = await bench.boards.start('esp32', { paced: true });
  const code = randomBytes(512 * 1024);
  await written(bench, {
    port,
    protocol: 'esp',
    image: rawImage(espImage({ version: '1.0.0', code })),
  });
  const whole = recorded(bench.recordingPath).elapsedMs;
  code.fill(0, 200_000, 205_000);
  await written(bench, {
    port,
    protocol: 'esp',
    image: rawImage(espImage({ version: '1.0.0', code, hashed: true })),
    changedOnly: true,
  });
  return { gang, change: whole / recorded(bench.recordingPath).elapsedMs };
}
