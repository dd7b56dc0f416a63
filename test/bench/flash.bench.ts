import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ByteBoard, servePty } from '../../electron/boards/pty.ts';
import { flashBoard } from '../../electron/core/bench/flash.ts';
import { openSerialPort } from '../../electron/core/bench/serial-link.ts';
import { VirtualBoards } from '../../electron/core/bench/virtual-boards.ts';
import { openBench } from '../support/bench.ts';
import { floorMs, type Phase, readRecording } from '../support/recording.ts';
import { changeRows, gangText, peerRows, protocolRows } from './flash-protocols.ts';
import { debianVersion } from './measure.ts';
import { writeSection } from './report.ts';

const imageBytes = 64 * 1024;
const pageBytes = 1024;
const blockCount = imageBytes / 256;
const exchangesPerBlock = 3;
const runs = 3;

let folder = '';
const boards = new VirtualBoards();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-flash-'));
});
afterAll(async () => {
  await boards.closeAll();
  rmSync(folder, { recursive: true, force: true });
});

type Phases = ReturnType<typeof readRecording>;

async function flash(linkPath: string | null): Promise<Phases> {
  const options = { paced: true, ...(linkPath === null ? {} : { linkPath }) };
  const { path } = await boards.start('stm32', options);
  const recordingPath = join(folder, 'recording.jsonl');
  // Noise does not boot: there is nothing to wait for after the verification.
  const stop = new AbortController();
  const flashing = flashBoard(
    {
      port: path,
      protocol: 'stm32',
      image: {
        format: 'raw',
        segments: [{ address: null, bytes: new Uint8Array(randomBytes(imageBytes)) }],
      },
      imageName: 'noise.bin',
      baudRate: 115_200,
      recordingPath,
      openLink: boards.opener(),
    },
    {
      signal: stop.signal,
      onProgress: ({ step }) => step.startsWith('Waiting') && stop.abort(),
    },
  );
  await expect(flashing).rejects.toMatchObject({ name: 'AbortError' });
  await boards.stop(path);
  return readRecording(readFileSync(recordingPath, 'utf8'));
}

/** How long a few bytes take through the PTY to an echo and back, without any wire: the bridge's own time. */
async function bridgeMs(): Promise<number> {
  const linkPath = join(folder, 'echo');
  let send: ((bytes: Uint8Array) => void) | null = null;
  const echo: ByteBoard = {
    receive: (bytes) => send?.(bytes),
    onData: (listener) => (send = listener),
  };
  const pty = await servePty(echo, linkPath);
  const link = await openSerialPort(linkPath, { baudRate: 115_200, parity: 'even' });
  let wake: (() => void) | null = null;
  link.onData(() => wake?.());
  const times: number[] = [];
  for (let at = 0; at < 300; at++) {
    await sleep(at % exchangesPerBlock === 0 ? 30 : 1);
    const answered = new Promise<void>((done) => (wake = done));
    const startedMs = performance.now();
    await link.write(Uint8Array.of(1, 2, 3, 4, 5));
    await answered;
    times.push(performance.now() - startedMs);
  }
  await link.close();
  await pty.close();
  return times.reduce((sum, time) => sum + time, 0) / times.length;
}

it('writes at 115200 8E1 at most 3 % above the floor of wire and flash', async () => {
  const floors = {
    erase: (phase: Phase) => floorMs(phase.wireBytes, { erasedPages: imageBytes / pageBytes }),
    write: (phase: Phase) => floorMs(phase.wireBytes, { programmedBytes: imageBytes }),
    verify: (phase: Phase) => floorMs(phase.wireBytes, {}),
  } as const;
  const names = ['erase', 'write', 'verify'] as const;
  const rows: string[] = [];
  for (const place of ['in process', 'over a PTY'] as const) {
    const phases: Phases[] = [];
    for (let run = 0; run < runs; run++)
      phases.push(await flash(place === 'in process' ? null : join(folder, `board-${run}`)));
    for (const name of names) {
      const best = phases.reduce((a, b) => (b[name].elapsedMs < a[name].elapsedMs ? b : a))[name];
      const floor = floors[name](best);
      const share = best.elapsedMs / floor - 1;
      rows.push(
        `| ${name} | ${place} | ${best.wireBytes} | ${floor.toFixed(0)} | ${best.elapsedMs.toFixed(0)} | ${(share * 100).toFixed(2)} % |`,
      );
    }
  }
  const bridge = await bridgeMs();
  const bridgeShare =
    (bridge * exchangesPerBlock * blockCount) /
    floorMs(blockCount * 268, { programmedBytes: imageBytes });
  expect(existsSync(join(folder, 'echo'))).toBe(false);
  writeSection('flash', 'Flashing 64 KiB over the STM32 bootloader', [
    'The virtual STM32F103 board, paced: 115200 baud 8E1 is 11 bits for each byte on the wire, plus the',
    'typical program time of each half-word (52.5 µs) and erase time of each page (20 ms). Random bytes,',
    `so that no block is skipped; the quickest of ${runs} runs, times from the serial recording.`,
    '',
    '| phase | link | wire bytes | floor ms | measured ms | above the floor |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `Over the PTY each exchange also passes socat ${debianVersion('socat')} twice: an echo of five bytes without any wire takes`,
    `${bridge.toFixed(2)} ms on average, which for the three exchanges of a block is ${(bridgeShare * 100).toFixed(1)} % of the floor by itself.`,
  ]);
}, 600_000);

it('each further protocol beside its floor and beside the usual tool', async () => {
  const bench = await openBench();
  try {
    const protocols = await protocolRows(bench);
    const peers = await peerRows(bench);
    const changes = await changeRows(bench);
    writeSection('flash-protocols', 'Flashing over the other protocols', [
      'Paced virtual boards in process, noise, the quicker of two runs after one that is not counted, from the',
      'identified board to the verified image. The floor is every byte that was on the wire in that time, one way where',
      'answers do not hold up requests, and the erase, program and hash times of the device that the wire does not hide.',
      'The goal is 3 %. What the machine had delivered late before is made good within, so that a row may be a little',
      'below its floor.',
      '',
      '| protocol | baud | wire bytes | floor ms | measured ms | above the floor | goal |',
      '|---|---|---|---|---|---|---|',
      ...protocols,
      '',
      'The same boards in a process of their own, over a PTY, start to verified, process start included for the tools:',
      '',
      '| board | ours ms | tool | tool ms | tool / ours |',
      '|---|---|---|---|---|',
      ...peers,
      '',
      'A change of 1 %, flashed with `--changed-only` after the whole, from the identified board to the verified image;',
      'the goal is 10 ×. Where a board can only be read back, comparing takes as long as verifying the whole.',
      '',
      '| board | compared by | whole ms | changed ms | whole / changed | goal |',
      '|---|---|---|---|---|---|',
      ...changes,
      '',
      await gangText(bench),
    ]);
  } finally {
    await bench.close();
  }
}, 600_000);
