import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, type Pack, pack } from 'tar-stream';
import { z } from 'zod';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { PackageFile } from '../../../shared/domain/product.ts';
import { hashFile } from '../workspace/object-store.ts';
import { canonicalJson } from '../../../shared/domain/canonical-json.ts';

const manifestName = 'manifest.json';
const longestManifestBytes = 1024 * 1024;

const manifestFilesSchema = z.object({
  files: z.array(z.object({ name: z.string(), sizeBytes: z.number(), sha256: z.string() })),
});

export interface VersionPackageInput {
  readonly files: readonly { readonly path: string; readonly file: PackageFile }[];
  /** Everything but `files`, which is written from the list above. */
  readonly manifest: Record<string, unknown>;
  readonly outPath: string;
}

/** Header with nothing in them that differs from one machine or day to the next. */
function fixedHeader(name: string, size: number): Partial<Header> & { name: string } {
  return { name, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type: 'file' };
}

/**
 * Writes the version package: an uncompressed tar with `manifest.json` first and the files sorted
 * by name. The same input gives the same bytes; a crash leaves no half-written package.
 */
export async function writeVersionPackage(
  input: VersionPackageInput,
  context: WorkContext,
): Promise<{ sha256: string; sizeBytes: number }> {
  const files = [...input.files].sort((a, b) => (a.file.name < b.file.name ? -1 : 1));
  const clash = files.find(({ file }, index) => file.name === files[index - 1]?.file.name);
  const reserved = clash ?? files.find(({ file }) => file.name === manifestName);
  if (reserved !== undefined) {
    throw problem(
      'package.duplicate-name',
      'The name is taken',
      `"${reserved.file.name}" would be in the version package twice.`,
      'Rename the file.',
      'gate',
    );
  }
  const manifest = canonicalJson({ ...input.manifest, files: files.map(({ file }) => file) });
  await mkdir(dirname(input.outPath), { recursive: true });
  const temporary = join(dirname(input.outPath), `.${basename(input.outPath)}.${randomUUID()}.tmp`);
  const handle = await open(temporary, 'wx');
  try {
    const archive = pack();
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const writing = (async () => {
      for await (const chunk of archive as unknown as AsyncIterable<Buffer>) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        await handle.writeFile(chunk);
      }
    })();
    const filling = fill(archive, manifest, files, context).catch((error: unknown) => {
      archive.destroy(error as Error);
      throw error;
    });
    const [filled, written] = await Promise.allSettled([filling, writing]);
    if (filled.status === 'rejected') throw filled.reason;
    if (written.status === 'rejected') throw written.reason;
    await handle.sync();
    await handle.close();
    await rename(temporary, input.outPath);
    return { sha256: hash.digest('hex'), sizeBytes };
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}

async function fill(
  archive: Pack,
  manifest: string,
  files: VersionPackageInput['files'],
  { signal, onProgress }: WorkContext,
): Promise<void> {
  const bytes = Buffer.from(manifest);
  const total = files.reduce((sum, { file }) => sum + file.sizeBytes, 0);
  let done = 0;
  archive.entry(fixedHeader(manifestName, bytes.length), bytes);
  for (const { path, file } of files) {
    const hash = createHash('sha256');
    const { size } = await stat(path);
    if (size !== file.sizeBytes) throw changedError(file, `${size} bytes`);
    async function* read(): AsyncGenerator<Buffer> {
      for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
        signal.throwIfAborted();
        hash.update(chunk as Buffer);
        done += (chunk as Buffer).length;
        onProgress({ step: 'Writing the version package', done, total, unit: 'bytes' });
        yield chunk as Buffer;
      }
    }
    const entry = archive.entry(fixedHeader(file.name, file.sizeBytes));
    await pipeline(Readable.from(read()), entry);
    const sha256 = hash.digest('hex');
    if (sha256 !== file.sha256) throw changedError(file, `SHA-256 ${sha256}`);
  }
  archive.finalize();
}

function changedError(file: PackageFile, found: string): Error {
  return problem(
    'package.file-changed',
    'A file changed since it was inspected',
    `"${file.name}": expected ${file.sizeBytes} bytes, SHA-256 ${file.sha256}; found ${found}.`,
    'Inspect the files again.',
    'gate',
  );
}

/** Hashes a version package and every member and compares them with its manifest. */
export async function verifyVersionPackage(
  path: string,
  context: WorkContext,
): Promise<{ sha256: string; manifest: unknown; intact: boolean; why: string }> {
  const whole = createHash('sha256');
  const found = new Map<string, { sizeBytes: number; sha256: string }>();
  let manifestText = '';
  const order: string[] = [];
  const { size: total } = await stat(path);
  let done = 0;
  async function* read(): AsyncGenerator<Buffer> {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      context.signal.throwIfAborted();
      whole.update(chunk as Buffer);
      done += (chunk as Buffer).length;
      const step = 'Verifying the version package';
      context.onProgress({ step, done, total, unit: 'bytes' });
      yield chunk as Buffer;
    }
  }
  const archive = extract();
  const readMembers = async (): Promise<void> => {
    for await (const entry of archive) {
      const hash = createHash('sha256');
      const { name } = entry.header;
      let sizeBytes = 0;
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        hash.update(chunk);
        sizeBytes += chunk.length;
        if (name === manifestName && sizeBytes <= longestManifestBytes) {
          manifestText += chunk.toString('latin1');
        }
      }
      order.push(name);
      if (name !== manifestName) found.set(name, { sizeBytes, sha256: hash.digest('hex') });
    }
  };
  const fed = pipeline(Readable.from(read()), archive);
  const [fedResult, readResult] = await Promise.allSettled([fed, readMembers()]);
  context.signal.throwIfAborted();
  for (const result of [fedResult, readResult]) {
    if (result.status === 'rejected') {
      const { code, message } = result.reason as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'EACCES' || code === 'EIO') throw result.reason;
      const { sha256 } = await hashFile(path, context.signal);
      return { sha256, manifest: null, intact: false, why: message };
    }
  }
  const manifest = parseJson(Buffer.from(manifestText, 'latin1').toString('utf8'));
  const why = compare(manifest, found, order);
  return {
    sha256: whole.digest('hex'),
    manifest,
    intact: why === null,
    why: why ?? 'every file matches the manifest',
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Null when everything agrees, else what does not. */
function compare(
  manifest: unknown,
  found: ReadonlyMap<string, { sizeBytes: number; sha256: string }>,
  order: readonly string[],
): string | null {
  const parsed = manifestFilesSchema.safeParse(manifest);
  if (!parsed.success || order[0] !== manifestName) return 'manifest.json is missing or broken';
  if (new Set(order).size !== order.length) return 'a file is in it twice';
  for (const { name, sizeBytes, sha256 } of parsed.data.files) {
    const member = found.get(name);
    if (member === undefined) return `"${name}" is missing`;
    if (member.sizeBytes !== sizeBytes) {
      return `"${name}" has ${member.sizeBytes} bytes, the manifest says ${sizeBytes}`;
    }
    if (member.sha256 !== sha256) {
      return `"${name}" has SHA-256 ${member.sha256}, the manifest says ${sha256}`;
    }
  }
  const names = new Set(parsed.data.files.map(({ name }) => name));
  const extra = order.find((name) => name !== manifestName && !names.has(name));
  return extra === undefined ? null : `"${extra}" is not in the manifest`;
}
