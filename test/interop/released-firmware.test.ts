import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

/** Firmware that Debian releases; `npm run bench:firmware` inspects far more. */
const packages = [
  'crust-firmware',
  'firmware-ath9k-htc',
  'firmware-microbit-micropython',
  'hackrf-firmware',
  'nxt-firmware',
  'opensbi',
];
const image = /\.(bin|fw|elf|hex|dfu)$/;
const unpacked = 'test/artifacts/packages/arduino-core-avr';

function filesOf(name: string): string[] {
  try {
    const list = execFileSync('dpkg-query', ['-L', name], { encoding: 'utf8', stdio: 'pipe' });
    return list.split('\n').filter((path) => image.test(path));
  } catch {
    throw new Error(`${name} is missing: apt-get install ${name}`);
  }
}

async function blocksOf(path: string): Promise<string[]> {
  const name = basename(path);
  const file = await bench.inspect(name, readFileSync(path), { fileTypes: [extname(name)] });
  return file.findings.filter(({ verdict }) => verdict === 'block').map(({ rule }) => rule);
}

describe('firmware that was released', () => {
  it.each(packages)('%s is not blocked', async (name) => {
    const files = filesOf(name);
    expect(files.length).toBeGreaterThan(0);
    for (const path of files) expect(await blocksOf(path), path).toEqual([]);
  });

  it('bootloaders of Arduino are not blocked, but for the two that contradict themselves', async () => {
    if (!existsSync(unpacked)) {
      throw new Error(`${unpacked} is missing: node scripts/test.mjs unpacks it`);
    }
    const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.hex'),
    );
    expect(files.length).toBeGreaterThan(10);
    for (const path of files) {
      const isBroken = /optiboot_atmega(168|328)\.hex$/.test(path);
      const expected = isBroken ? ['intel-hex.overlap'] : [];
      expect(await blocksOf(join(unpacked, path)), path).toEqual(expected);
    }
  });
});
