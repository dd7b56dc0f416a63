import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type InspectInput, inspectFiles } from '../../electron/core/bundle/inspect-files.ts';
import type { InspectedFile } from '../../shared/domain/finding.ts';
import { defaultFileTypes } from '../../shared/domain/limits.ts';

/** A folder of its own in which the bundle room inspects bytes under any name. */
export class InspectBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'slipway-inspect-'));

  async inspect(
    name: string,
    bytes: Uint8Array,
    extra: Partial<InspectInput> = {},
  ): Promise<InspectedFile> {
    const path = join(this.folder, name);
    writeFileSync(path, bytes);
    const context = { signal: new AbortController().signal, onProgress: () => undefined };
    const fileTypes = [
      ...defaultFileTypes,
      '.elf',
      '.uf2',
      '.img',
      '.itb',
      '.dtb',
      '.mpy',
      '.pac',
      '.patch',
    ];
    const report = await inspectFiles({ files: [{ path, name }], fileTypes, ...extra }, context);
    const [file] = report.files;
    if (file === undefined) throw new Error(`no report about ${name}`);
    return file;
  }

  async rulesOf(
    name: string,
    bytes: Uint8Array,
    extra: Partial<InspectInput> = {},
  ): Promise<string[]> {
    return (await this.inspect(name, bytes, extra)).findings.map(({ rule }) => rule);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A copy of the bytes with one byte changed by an exclusive or. */
export function flipped(bytes: Uint8Array, offset: number, mask = 1): Buffer {
  const copy = Buffer.from(bytes);
  copy[offset] = (copy[offset] ?? 0) ^ mask;
  return copy;
}
