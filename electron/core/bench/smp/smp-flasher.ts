import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { problem } from '../../../../shared/domain/problem.ts';
import { memorySource } from '../../../../shared/formats/byte-source.ts';
import type { FirmwareImage } from '../../../../shared/formats/firmware-image.ts';
import { hexText } from '../../../../shared/formats/image-facts.ts';
import { readMcuboot } from '../../../../shared/formats/mcuboot.ts';
import { throwingReport } from '../../../../shared/formats/report.ts';
import type { ByteChannel } from '../byte-channel.ts';
import type { BoardIdentity, Flasher, FlashWork } from '../flasher.ts';
import { verifyFailed } from '../sector-layout.ts';
import { wholeFile } from '../whole-file.ts';
import { SmpClient, SmpRefusal, smpRefused, type SlotState } from './smp-client.ts';

const connectAttempts = 5;
const connectMs = 1000;
/** Servers answer before they reset (Zephyr: 250 ms). */
const resetMs = 400;
/** MCUboot swaps slots before it starts the image. */
const startLimitMs = 60_000;

/** Updates a board through SMP: uploads to the second slot, starts it on trial, confirms it once it runs. */
export class SmpFlasher implements Flasher {
  readonly #client: SmpClient;
  readonly #channel: ByteChannel;

  constructor(channel: ByteChannel) {
    this.#channel = channel;
    this.#client = new SmpClient(channel);
  }

  async connect(): Promise<BoardIdentity> {
    for (let attempt = 0; attempt < connectAttempts; attempt++) {
      if (!(await this.#client.isThere(connectMs))) continue;
      const [active] = (await this.#said('Reading the slots', this.#client.readState())).filter(
        (slot) => slot.active !== false,
      );
      return {
        chip: (await this.#client.boardName()) ?? 'MCUboot board',
        isSupported: true,
        boardId: null,
        remark: `SMP, runs version ${active?.version ?? 'none'}`,
      };
    }
    throw problem(
      'no-bootloader',
      'No SMP server answers',
      `${this.#channel.path}: ${connectAttempts} requests had no answer.`,
      'Start the application with MCUmgr on its console, or MCUboot in serial recovery, and check RX and TX.',
    );
  }

  async plan(image: FirmwareImage): Promise<FlashWork> {
    const bytes = wholeFile(image);
    const hash = await hashOf(bytes);
    const sha = createHash('sha256').update(bytes).digest();
    const held = (await this.#client.readState()).find((slot) => holds(slot, hash));
    const isRunning = held?.active === true;
    let match: boolean | null = null;
    return {
      totalBytes: held ? 0 : bytes.length,
      skippedBytes: 0,
      unchangedBytes: held ? bytes.length : 0,
      write: async (tell) => {
        if (held) return;
        const upload = this.#client.upload(bytes, sha, (done) => tell(done, bytes.length));
        match = await this.#said('Uploading', upload);
      },
      verify: async () => {
        if (match === false) throw verifyFailed('The board found another SHA-256.');
        const state = await this.#said('Reading the slots', this.#client.readState());
        if (state.some((slot) => holds(slot, hash))) return 'hash';
        throw verifyFailed(`No slot holds an image with the hash ${hexText(hash)}.`);
      },
      start: async () => {
        const test = isRunning ? Promise.resolve() : this.#client.setState(hash, false);
        await this.#said('Asking for the image at the next start', test);
        await this.#said('Resetting', this.#client.reset());
      },
      askVersion: () => this.#askVersion(hash),
    };
  }

  /** Waits until the board is up again; confirms the image when it is what runs, so that it stays. */
  async #askVersion(hash: Uint8Array): Promise<string | null> {
    await sleep(resetMs);
    const deadlineMs = performance.now() + startLimitMs;
    while (performance.now() < deadlineMs) {
      if (!(await this.#client.isThere(connectMs))) continue;
      const state = await this.#said('Reading the slots', this.#client.readState());
      // It has not reset yet.
      if (state.some((slot) => slot.pending === true && holds(slot, hash))) continue;
      const active = state.find((slot) => slot.active === true) ?? state[0];
      if (active && holds(active, hash) && active.confirmed === false)
        await this.#said('Confirming', this.#client.setState(hash, true));
      return active ? buildVersion(active.version) : null;
    }
    return null;
  }

  async #said<T>(what: string, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw error instanceof SmpRefusal ? smpRefused(what, error) : error;
    }
  }
}

/** Servers put a dot before the build number. */
const buildVersion = (version: string): string =>
  version.replace(/^(\d+\.\d+\.\d+)\.(\d+)$/, '$1+$2');

const holds = (slot: SlotState, hash: Uint8Array): boolean =>
  slot.hash != null && hexText(slot.hash) === hexText(hash);

/** The hash by which the board will know the image. @throws ProblemError when it is no whole MCUboot image */
async function hashOf(bytes: Uint8Array): Promise<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const image =
    bytes.length >= 4 && view.getUint32(0, true) === 0x96f3b83d
      ? await readMcuboot(
          memorySource(bytes),
          async (algorithm, start, end) =>
            createHash(algorithm).update(bytes.subarray(start, end)).digest('hex'),
          throwingReport('the image'),
        )
      : null;
  if (image?.hash != null) return Uint8Array.from(Buffer.from(image.hash, 'hex'));
  throw problem(
    'wrong-image',
    'This is no MCUboot image',
    'It has no MCUboot header with a hash, so that the bootloader would not start it.',
    'Sign the image with imgtool; nothing was erased.',
    'gate',
  );
}
