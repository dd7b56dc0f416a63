import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, describe, expect, it } from 'vitest';
import { RarEngineLost, RarSession } from '../../electron/core/bundle/rar-session.ts';
import { limitWasmMemory } from '../../electron/worker/wasm-memory.ts';
import { memorySource } from '../../shared/formats/byte-source.ts';
import { zip } from '../support/archives.ts';
import { flipped, InspectBench } from '../support/inspect.ts';
import { imgtoolImage } from '../support/mcuboot-images.ts';
import { rarOf } from '../support/rar-archives.ts';
import { rarSample, type rarSamples } from '../support/rar-samples.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const secret = Buffer.from('url = https://ota:Xy7-kQ92@cloud.test/fw\n');
const readme = { name: 'readme.txt', content: Buffer.from('hello 9.8.7 there\n') };

describe('archives that RAR made', () => {
  it.each([
    ['rar3Solid', 2],
    ['rar3Subfolders', 10],
    ['rar3Names', 2],
    ['rar5Crc', 2],
    ['rar5Solid', 2],
    ['rar5Subfolders', 10],
  ] as const)('%s is unpacked and whole', async (name, members) => {
    const { findings } = await bench.inspect('a.rar', rarSample(name));
    expect(findings.map(({ rule }) => rule)).toEqual(['container.integrity', 'file.hash']);
    expect(findings[0]?.detail).toBe(`rar: ${members} members, every CRC-32 is right`);
  });

  it.each([['rar15'], ['rar2Owner']] as const)(
    '%s of old ends without an end block',
    async (name) => {
      const rules = await bench.rulesOf('a.rar', rarSample(name));
      expect(rules).toEqual(['rar.no-end', 'container.integrity', 'file.hash']);
    },
  );

  it.each([
    ['rar3Links', 'rar.link'],
    ['rar3Encrypted', 'rar.encrypted'],
    ['rar3HeadersEncrypted', 'rar.encrypted'],
    ['rar5Links', 'rar.link'],
    ['rar5HardLinks', 'rar.link'],
    ['rar5Copies', 'rar.link'],
    ['rar5Encrypted', 'rar.encrypted'],
    ['rar5HeadersEncrypted', 'rar.encrypted'],
  ] as const)('%s is refused: %s', async (name: keyof typeof rarSamples, rule) => {
    const rules = await bench.rulesOf('a.rar', rarSample(name));
    expect(rules).toContain(rule);
    expect(rules).not.toContain('container.integrity');
  });

  it.each([
    ['rar3Solid', 40],
    ['rar5Crc', 450],
  ] as const)('%s: a flip in a header or in the data, and a cut, are told', async (name, step) => {
    const bytes = rarSample(name);
    for (let at = 10; at < bytes.length; at += step) {
      const rules = await bench.rulesOf('a.rar', flipped(bytes, at));
      const told = rules.filter((rule) => rule.startsWith('rar.'));
      expect(told, `byte ${at}: ${rules.join(' ')}`).not.toEqual([]);
    }
    for (const size of [20, bytes.length >> 1, bytes.length - 10]) {
      const rules = await bench.rulesOf('a.rar', bytes.subarray(0, size));
      expect(
        rules.some((rule) => /^rar\.(truncated|no-end)$/.test(rule)),
        `${size}`,
      ).toBe(true);
    }
  });
});

describe('members', () => {
  it('are inspected like files of their own', async () => {
    const inner = zip('app.bin', imgtoolImage('ecdsa'));
    const bytes = rarOf([
      readme,
      { name: 'conf/wifi.txt', content: secret },
      { name: 'parts/inner.zip', content: inner },
      { name: 'empty', content: Buffer.alloc(0) },
    ]);
    const { findings } = await bench.inspect('fw.rar', bytes, { version: '9.8.7' });
    const places = findings.map(({ rule, evidence }) => `${rule} ${evidence.member ?? ''}`.trim());
    expect(places).toContain('mcuboot.header parts/inner.zip!/app.bin');
    expect(places).toContain('secret.url-credentials conf/wifi.txt');
    expect(places).toContain('identity.version-found readme.txt');
    expect(findings.find(({ evidence }) => evidence.member === undefined)?.detail).toBe(
      'rar: 4 members, every CRC-32 is right',
    );
  });

  it('of several megabytes pass through in pieces', async () => {
    const bytes = rarOf([{ name: 'big.bin', content: randomBytes(5_000_000) }, readme]);
    const rules = await bench.rulesOf('big.rar', bytes);
    expect(rules).toContain('container.integrity');
  });

  it.each([
    ['rar.crc', [{ ...readme, crc32: 1 }]],
    ['rar.crc', [{ ...readme, sizeBytes: 17 }]],
    ['rar.crc', [{ ...readme, sizeBytes: 1000 }]],
    ['rar.crc', [{ ...readme, method: 3 }]],
    ['rar.bomb', [{ ...readme, sizeBytes: 2 ** 31 }]],
    ['rar.not-unpacked', [{ ...readme, dictionary: 10, method: 3 }]],
    ['rar.not-unpacked', [{ ...readme, dictionary: 15, method: 3 }]],
    ['rar.unsafe-name', [{ ...readme, name: '../up' }]],
    ['rar.unsafe-name', [{ ...readme, name: 'C:/windows' }]],
    ['rar.duplicate', [readme, { ...readme, name: 'README.TXT' }]],
  ])('%s: %j', async (rule, parts) => {
    const rules = await bench.rulesOf('lie.rar', rarOf(parts));
    expect(rules).toContain(rule);
    expect(rules).not.toContain('container.integrity');
  });

  it('too many of them are refused before any is unpacked', async () => {
    const parts = Array.from({ length: 20_100 }, (_, index) => ({
      name: `${index}`,
      content: Buffer.alloc(0),
    }));
    expect(await bench.rulesOf('many.rar', rarOf(parts))).toContain('archive.limit');
  });

  it('bytes after the end block are refused', async () => {
    const bytes = Buffer.concat([rarOf([readme]), Buffer.from('more')]);
    expect(await bench.rulesOf('more.rar', bytes)).toContain('rar.trailing');
  });
});

describe('the engine', () => {
  it('is ended when it says nothing', async () => {
    const session = new RarSession(memorySource(rarOf([readme])), { quietMs: 1 });
    await expect(session.next()).rejects.toThrow(RarEngineLost);
    await session.end();
  });

  it('stops when what it asked for fails, and the error is told', async () => {
    const failing = {
      sizeBytes: 1000,
      read: () => Promise.reject(new Error('the disk is gone')),
    };
    const session = new RarSession(failing);
    await expect(session.next()).rejects.toThrow('the disk is gone');
    await session.end();
  });

  it('cannot use more memory than it is given', () => {
    const path = createRequire(import.meta.url).resolve('node-unrar-js/dist/js/unrar.wasm');
    const module = readFileSync(path);
    const limited = new Uint8Array(limitWasmMemory(module, 2048));
    expect(WebAssembly.validate(limited)).toBe(true);
    expect(limited.filter((byte, at) => byte !== module[at]).length).toBeGreaterThan(0);
    // Below the pages that it begins with, the module is no module any more.
    expect(WebAssembly.validate(new Uint8Array(limitWasmMemory(module, 100)))).toBe(false);
    expect(() => limitWasmMemory(module.subarray(0, 8), 100)).toThrow('no maximum');
  });
});
