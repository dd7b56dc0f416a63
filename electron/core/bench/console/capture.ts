import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { CaptureResult } from '../../../../shared/domain/console.ts';
import type { CaptureForm } from '../../../../shared/domain/console-names.ts';
import {
  type Problem,
  ProblemError,
  problem,
  toProblem,
} from '../../../../shared/domain/problem.ts';
import { renameDurably } from '../../../files/atomic-file.ts';

/** More than this waiting for the disk is a disk that has stopped. */
const mostWaitingBytes = 256 * 1024 * 1024;

/**
 * Writes everything that a console receives to a file that appears under its name when it is whole. The line never
 * waits for the disk: what the disk does not take yet waits in memory, and nothing is left out.
 */
export class Capture {
  readonly path: string;
  readonly form: CaptureForm;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  readonly #onFault: (fault: Problem) => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | null = null;
  #sizeBytes = 0;
  #fault: Problem | null = null;

  private constructor(parts: {
    readonly path: string;
    readonly form: CaptureForm;
    readonly temporary: string;
    readonly file: FileHandle;
    readonly onFault: (fault: Problem) => void;
  }) {
    this.path = parts.path;
    this.form = parts.form;
    this.#temporary = parts.temporary;
    this.#file = parts.file;
    this.#onFault = parts.onFault;
  }

  /** @throws ProblemError when the file cannot be made */
  static async start(
    path: string,
    form: CaptureForm,
    onFault: (fault: Problem) => void,
  ): Promise<Capture> {
    const whole = resolve(path);
    await mkdir(dirname(whole), { recursive: true });
    const temporary = join(dirname(whole), `.${basename(whole)}.${randomUUID()}.tmp`);
    return new Capture({
      path: whole,
      form,
      temporary,
      file: await open(temporary, 'wx'),
      onFault,
    });
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get fault(): Problem | null {
    return this.#fault;
  }

  write(bytes: Uint8Array): void {
    if (this.#fault) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#sizeBytes += bytes.length;
    if (this.#waitingBytes > mostWaitingBytes)
      this.#fail(
        problem(
          'capture-too-slow',
          'The disk does not keep up with the capture',
          `${mostWaitingBytes} bytes wait for ${this.path}.`,
          '',
        ),
      );
    else this.#writing ??= this.#drain();
  }

  /** Waits for the disk and gives the file its name. @throws ProblemError what ended the capture before */
  async stop(): Promise<CaptureResult> {
    await this.#writing;
    try {
      await this.#file.sync();
      await this.#file.close();
      // Also what was captured before the disk was full is worth keeping.
      await renameDurably(this.#temporary, this.path);
    } catch (error) {
      await rm(this.#temporary, { force: true });
      throw error;
    }
    if (this.#fault) throw new ProblemError(this.#fault);
    return { path: this.path, sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') };
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#fault) {
        const bytes = Buffer.concat(this.#waiting);
        this.#waiting = [];
        this.#waitingBytes = 0;
        await this.#file.writeFile(bytes);
        this.#hash.update(bytes);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#writing = null;
    }
  }

  #fail(error: unknown): void {
    const hint = 'Capture to a faster disk, or one with more room; what was written is kept.';
    this.#fault = { ...toProblem(error), hint };
    this.#waiting = [];
    this.#onFault(this.#fault);
  }
}
