import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import type { VersionPackage } from '../../shared/domain/product.ts';
import type { Problem, ProblemError } from '../../shared/domain/problem.ts';
import { expectWhole } from '../support/whole-workspace.ts';

let folder: string;
let studio: Studio;
const at = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-bad-input-'));
  await cp('resources/sample', folder, { recursive: true });
  studio = await createStudio({ workspacePath: folder });
});
afterEach(async () => {
  await studio.close();
  await rm(folder, { recursive: true, force: true });
});

async function bundle(version: string, files: readonly string[]): Promise<VersionPackage> {
  const release = await studio.ask('releases.create', { productId: 'SENSOR-1', version });
  return studio.ask('bundle.create', {
    releaseId: release.id,
    componentId: 'STM32',
    files: files.map(at),
  });
}

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const failure = (await work.catch((error: unknown) => error)) as ProblemError;
  expect(failure.problem, String(failure)).toBeDefined();
  return failure.problem;
}

describe('files that must not become a version package', () => {
  const image = 'firmware/sensor-1.0.0.bin';
  const objects = async (): Promise<string[]> => readdir(at('.slipway/objects'));

  test.each([
    [
      'a zip that was cut',
      async () => {
        const packed = deflateRawSync(Buffer.alloc(5000, 'firmware'));
        const header = Buffer.alloc(30);
        header.writeUInt32LE(0x04034b50);
        header.writeUInt16LE(8, 8);
        await writeFile(at('cut.zip'), Buffer.concat([header, packed]));
        return ['cut.zip'];
      },
      /^cut\.zip: The zip file is cut, .*\(zip\.truncated\)/,
    ],
    [
      'an S-record with a wrong checksum',
      async () => {
        const lines = (await readFile(at('firmware/sensor-1.0.0.s19'), 'utf8')).split('\n');
        const line = lines[41]?.trimEnd() ?? '';
        const sum = line.endsWith('00') ? '01' : '00';
        lines[41] = line.slice(0, -2) + sum;
        await writeFile(at('wrong.s19'), lines.join('\n'));
        return ['wrong.s19'];
      },
      /^wrong\.s19: S-record checksum is wrong, line 42, column \d+: checksum \(s-record\.checksum\)/,
    ],
    [
      'a sixth file',
      async () => {
        const names = [1, 2, 3, 4, 5, 6].map((number) => `part-${number}.bin`);
        const bytes = await readFile(at(image));
        for (const [index, name] of names.entries()) {
          bytes[bytes.length - 1] = index;
          await writeFile(at(name), bytes);
        }
        return names;
      },
      /part-6\.bin: Too many files, "part-6\.bin" is file 6 \(package\.too-many-files\)$/,
    ],
    [
      'a file of 101 MiB',
      async () => {
        await cp(at(image), at('huge.bin'));
        await truncate(at('huge.bin'), 101 * 1024 * 1024);
        return ['huge.bin'];
      },
      /^huge\.bin: The file is over the size limit, .*\(file\.too-large\)/,
    ],
  ] as const)('%s', async (_name, make, detail) => {
    await bundle('1.0.0', [image]);
    const before = await objects();
    expect(await problemOf(bundle('1.1.0', await make()))).toEqual({
      code: 'bundle-blocked',
      title: 'The files are blocked',
      detail: expect.stringMatching(detail),
      hint: 'Correct the files; the findings say how.',
      kind: 'gate',
    });
    expect(await objects()).toEqual(before);
    expect((await expectWhole(folder)).map((pkg) => pkg.targetVersion)).toEqual(['1.0.0']);
  });
});

describe('boards that fail', () => {
  const flash = (port: string, packageId: string) =>
    studio.ask('bench.flash', { port, protocol: 'stm32', packageId, expectVersion: '1.0.0' });

  /** A failed run is kept with how far it came, why it ended, and what was on the line. */
  async function expectKept(failure: Problem, reached: object, line: RegExp): Promise<void> {
    const run = (await studio.ask('bench.runs', {})).at(-1);
    expect(run).toMatchObject({ passed: false, failure, result: { verified: false, ...reached } });
    const { text } = await studio.ask('bench.recording', { runId: run?.id ?? '' });
    expect(text).toMatch(line);
    expect(text).toContain(`failed: ${failure.title}`);
  }

  test('a port that is pulled out in the middle of writing', async () => {
    const pkg = await bundle('1.0.0', ['firmware/sensor-1.0.0.bin']);
    const port = at('board');
    await studio.boards.start('stm32', { linkPath: port, paced: true });
    const stop = studio.subscribe((event) => {
      if (event.type !== 'job' || event.job.step !== 'Writing' || event.job.done < 512) return;
      stop();
      void studio.boards.stop(port);
    });
    const failure = await problemOf(flash(port, pkg.id));
    expect(failure).toEqual({
      code: 'port-lost',
      title: 'The port was lost',
      detail: `${port} went away while it was in use.`,
      hint: expect.stringMatching(/Plug the board in again/),
      kind: 'io',
    });
    const { result } = (await studio.ask('bench.runs', {}))[0] ?? {};
    expect(result?.bytesWritten).toBeGreaterThan(0);
    expect(result?.bytesWritten).toBeLessThan(12_000);
    await expectKept(failure, { chip: 'STM32F103 medium-density' }, /"hex":"31ce"/);

    const again = await studio.ask('bench.virtual.start', { kind: 'stm32' });
    expect((await flash(again.path, pkg.id)).passed).toBe(true);
  });

  test('a port that is not there', async () => {
    const pkg = await bundle('1.0.0', ['firmware/sensor-1.0.0.bin']);
    const failure = await problemOf(flash('/dev/tty-not-there', pkg.id));
    expect(failure).toMatchObject({ code: 'port-not-found', hint: expect.stringMatching(/cable/) });
    expect(failure.detail).toContain('/dev/tty-not-there');
    await expectKept(failure, { chip: '', bytesWritten: 0 }, /\/dev\/tty-not-there at 115200/);
  });

  test('a board with another chip is not touched', async () => {
    const description = await readFile(at('slipway.yaml'), 'utf8');
    await studio.close();
    await writeFile(
      at('slipway.yaml'),
      description.replace('STM32F103 medium-density', 'STM32F030x8/F05x'),
    );
    studio = await createStudio({ workspacePath: folder });
    const pkg = await bundle('1.0.0', ['firmware/sensor-1.0.0.bin']);
    const { path } = await studio.ask('bench.virtual.start', { kind: 'stm32' });
    const failure = await problemOf(flash(path, pkg.id));
    expect(failure).toEqual({
      code: 'wrong-chip',
      title: 'This is the wrong chip',
      detail: `${path} is STM32F103 medium-density; expected STM32F030x8/F05x.`,
      hint: 'Connect the right board; nothing was erased.',
      kind: 'gate',
    });
    await expectKept(
      failure,
      { chip: 'STM32F103 medium-density', bytesWritten: 0 },
      /"hex":"02fd"/,
    );
    const { text } = await studio.ask('bench.recording', {
      runId: (await studio.ask('bench.runs', {}))[0]?.id ?? '',
    });
    // Neither ERASE nor WRITE was sent.
    expect(text).not.toMatch(/"tx","hex":"(43bc|44bb|31ce)"/);
  });
});
