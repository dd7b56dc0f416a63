import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  verifyVersionPackage,
  writeVersionPackage,
} from '../../electron/core/bundle/version-package.ts';
import type { PackageFile } from '../../shared/domain/product.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-package-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const context = { signal: new AbortController().signal, onProgress: () => undefined };

function entry(name: string, bytes: Buffer): { path: string; file: PackageFile } {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, file: { name, role: 'image', sizeBytes: bytes.length, sha256, format: 'raw' } };
}

describe('version package', () => {
  it('has the same bytes for the same input in any order, and verifies', async () => {
    const a = entry('a.bin', Buffer.alloc(70_000, 1));
    const b = entry('b.bin', Buffer.alloc(513, 2));
    const one = join(folder, 'one.tar');
    const two = join(folder, 'two.tar');
    const first = await writeVersionPackage(
      { files: [a, b], manifest: { version: '1', product: 'p' }, outPath: one },
      context,
    );
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const second = await writeVersionPackage(
      { files: [b, a], manifest: { product: 'p', version: '1' }, outPath: two },
      context,
    );
    expect(second).toEqual(first);
    expect(readFileSync(one).equals(readFileSync(two))).toBe(true);
    expect(createHash('sha256').update(readFileSync(one)).digest('hex')).toBe(first.sha256);
    const verified = await verifyVersionPackage(one, context);
    expect(verified).toMatchObject({ intact: true, sha256: first.sha256 });
    expect(verified.manifest).toMatchObject({ version: '1', files: [a.file, b.file] });
  });

  it('finds any edited byte of a member and a cut file', async () => {
    const path = join(folder, 'edit.tar');
    const file = entry('c.bin', Buffer.alloc(4000, 7));
    await writeVersionPackage({ files: [file], manifest: {}, outPath: path }, context);
    const bytes = readFileSync(path);
    const at = bytes.indexOf(Buffer.alloc(100, 7)) + 50;
    bytes[at] = 8;
    writeFileSync(path, bytes);
    const edited = await verifyVersionPackage(path, context);
    expect(edited.intact).toBe(false);
    expect(edited.why).toContain('c.bin');
    writeFileSync(path, bytes.subarray(0, at));
    expect((await verifyVersionPackage(path, context)).intact).toBe(false);
  });

  it('refuses a file that changed after inspection and leaves nothing behind', async () => {
    const file = entry('d.bin', Buffer.alloc(100, 7));
    const before = readdirSync(folder).length;
    const outPath = join(folder, 'changed.tar');
    for (const bytes of [Buffer.alloc(100, 8), Buffer.alloc(99, 7)]) {
      writeFileSync(file.path, bytes);
      await expect(
        writeVersionPackage({ files: [file], manifest: {}, outPath }, context),
      ).rejects.toThrow(/changed since/);
    }
    expect(readdirSync(folder)).toHaveLength(before);
  });
});
