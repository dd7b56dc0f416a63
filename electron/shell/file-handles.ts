import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { problem } from '../../shared/domain/problem.ts';

const maxHandles = 10_000;

/** What the window learns of a file the user picked or dropped: never its path. */
export interface PickedFile {
  readonly handle: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** What the window learns of the place where it may write one file. */
export interface SaveTarget {
  readonly handle: string;
  readonly name: string;
}

/** Files that the user granted by a native dialog or by dropping them on the window. */
export class FileHandles {
  readonly #paths = new Map<string, string>();
  readonly #targets = new Map<string, string>();

  /** @throws ProblemError `not-a-file` for a folder, a device or a path that is gone */
  grant(path: string): PickedFile {
    const info = path === '' ? undefined : statSync(path, { throwIfNoEntry: false });
    if (!info?.isFile()) {
      throw problem(
        'not-a-file',
        'This is not a file',
        path === ''
          ? 'What was dropped has no file behind it.'
          : `"${basename(path)}" is ${info?.isDirectory() ? 'a folder' : 'no regular file'}.`,
        'Drop or choose files; pack a folder into an archive first.',
        'usage',
      );
    }
    const handle = `file:${randomUUID()}`;
    this.#paths.set(handle, path);
    const [oldest] = this.#paths.keys();
    if (this.#paths.size > maxHandles && oldest) this.#paths.delete(oldest);
    return { handle, name: basename(path), sizeBytes: info.size };
  }

  /** Grants one write to the place that the user chose in the system's dialog. */
  grantTarget(path: string): SaveTarget {
    const handle = `target:${randomUUID()}`;
    this.#targets.set(handle, path);
    const [oldest] = this.#targets.keys();
    if (this.#targets.size > maxHandles && oldest) this.#targets.delete(oldest);
    return { handle, name: basename(path) };
  }

  /** @throws ProblemError `file-not-granted` for a path, and for another use than was granted */
  resolve(handle: string, access: 'read' | 'write'): string {
    const path = (access === 'read' ? this.#paths : this.#targets).get(handle);
    this.#targets.delete(handle);
    if (path === undefined) {
      throw problem(
        'file-not-granted',
        'This file was not picked',
        'The window may only read files that were picked or dropped, and write once to a place that was chosen.',
        'Pick the file again.',
        'usage',
      );
    }
    return path;
  }
}
