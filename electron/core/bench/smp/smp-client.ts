import { decode, encode } from 'cborg';
import { z } from 'zod';
import { problem } from '../../../../shared/domain/problem.ts';
import {
  decodeSmp,
  encodeSmp,
  encodeSmpFrame,
  frameBytes,
  smp,
  smpErrors,
  SmpFrameDecoder,
  smpHeaderBytes,
  type SmpPacket,
} from '../../../../shared/formats/smp-frame.ts';
import { type ByteChannel, silence } from '../byte-channel.ts';

const bytes = z.instanceof(Uint8Array);
const parametersSchema = z.object({ buf_size: z.number(), buf_count: z.number() });
const infoSchema = z.object({ output: z.string() });
const uploadSchema = z.object({ off: z.number().int(), match: z.boolean().nullish() });
const stateSchema = z.object({
  images: z.array(
    z.object({
      image: z.number().nullish(),
      slot: z.number(),
      version: z.string(),
      hash: bytes.nullish(),
      pending: z.boolean().nullish(),
      confirmed: z.boolean().nullish(),
      active: z.boolean().nullish(),
    }),
  ),
});
const errorSchema = z.object({
  rc: z.number().optional(),
  err: z.object({ group: z.number(), rc: z.number() }).optional(),
});

/** One image that a slot holds. */
export type SlotState = z.infer<typeof stateSchema>['images'][number];

/** What a request asks: operation, group and command. */
interface Question {
  readonly op: 0 | 2;
  readonly group: number;
  readonly command: number;
}

const answerMs = 2500;
/** The first part of an upload waits for the erase of the whole slot. */
const firstPartMs = 40_000;
const attempts = 3;
/** Servers that do not tell their buffers, as MCUboot's recovery, take at least this much, and one at a time. */
const smallestBuffers = { sizeBytes: 256, count: 1 } as const;
/** Flash is written in units of up to this size; MCUboot drops the rest of a part that is none of them. */
const writeUnitBytes = 16;

const questions = {
  parameters: { op: smp.read, group: smp.osGroup, command: smp.parameters },
  info: { op: smp.read, group: smp.osGroup, command: smp.info },
  reset: { op: smp.write, group: smp.osGroup, command: smp.reset },
  readState: { op: smp.read, group: smp.imageGroup, command: smp.imageState },
  writeState: { op: smp.write, group: smp.imageGroup, command: smp.imageState },
  upload: { op: smp.write, group: smp.imageGroup, command: smp.imageUpload },
} as const satisfies Record<string, Question>;

/** An SMP server said no. */
export class SmpRefusal extends Error {
  readonly code: number;
  constructor(code: number) {
    super(smpErrors[code] ?? `code ${code}`);
    this.name = 'SmpRefusal';
    this.code = code;
  }
}

/** Client of an SMP server on a console: a Zephyr application, or MCUboot's serial recovery. */
export class SmpClient {
  readonly #channel: ByteChannel;
  readonly #decoder = new SmpFrameDecoder();
  #packets: SmpPacket[] = [];
  #sequence = 0;
  #buffers: { readonly sizeBytes: number; readonly count: number } = smallestBuffers;

  constructor(channel: ByteChannel) {
    this.#channel = channel;
  }

  /** Asks for the buffers of the server, which also tells whether there is one; false when nothing answers. */
  async isThere(timeoutMs: number): Promise<boolean> {
    try {
      const answer = await this.#exchange(questions.parameters, {}, timeoutMs);
      if (answer === null) return false;
      const { buf_size, buf_count } = parametersSchema.parse(answer);
      this.#buffers = { sizeBytes: buf_size, count: buf_count };
    } catch (error) {
      if (!(error instanceof SmpRefusal)) throw error;
      this.#buffers = smallestBuffers;
    }
    return true;
  }

  /** Name of the board as the application tells it; null when it does not. */
  async boardName(): Promise<string | null> {
    try {
      return infoSchema.parse(await this.#ask(questions.info, { format: 'i' })).output;
    } catch (error) {
      if (error instanceof SmpRefusal) return null;
      throw error;
    }
  }

  /** The images in the slots. */
  async readState(): Promise<readonly SlotState[]> {
    return stateSchema.parse(await this.#ask(questions.readState, {})).images;
  }

  /** Asks for an image at the next start, for one try or, confirmed, for good. */
  async setState(hash: Uint8Array, confirm: boolean): Promise<void> {
    await this.#ask(questions.writeState, { hash, confirm });
  }

  /** Asks once: an image on trial does not survive a second reset, and a board may well reset before it answers. */
  async reset(): Promise<void> {
    await this.#exchange(questions.reset, {}, answerMs);
  }

  /**
   * Uploads an image with as many parts on the way as the server has buffers, but one; goes on where the server has
   * kept an upload of the same image. Returns whether the server found the SHA-256 right, null when it did not look.
   */
  async upload(
    image: Uint8Array,
    sha: Uint8Array,
    tell: (done: number) => void,
  ): Promise<boolean | null> {
    const first = { len: image.length, sha };
    const window = Math.max(1, this.#buffers.count - 1);
    let answer = await this.#firstPart(image, first);
    let sent = answer.off;
    /** Where each part on the way ends. */
    let open = new Map<number, number>();
    let failures = 0;
    while (answer.off < image.length) {
      tell(answer.off);
      while (open.size < window && sent < image.length) {
        const part = this.#part(image, sent, {});
        sent += part.data.length;
        open.set(await this.#send(questions.upload, part), sent);
      }
      const next = await this.#next(open, answerMs);
      if (next === null && ++failures >= attempts) throw silence(this.#channel.path, answerMs);
      if (next !== null) {
        failures = 0;
        answer = uploadSchema.parse(next.body);
        // A server that has lost the upload wants all of it again.
        if (answer.off === 0) answer = await this.#firstPart(image, first);
        else if (answer.off === next.mark) continue;
      }
      // A part was lost: the server tells where it stands, and what is on the way counts no more.
      sent = answer.off;
      open = new Map();
    }
    tell(answer.off);
    return answer.match ?? null;
  }

  async #firstPart(
    image: Uint8Array,
    extra: { readonly len: number; readonly sha: Uint8Array },
  ): Promise<z.infer<typeof uploadSchema>> {
    const part = this.#part(image, 0, extra);
    const answer = await this.#exchange(questions.upload, part, firstPartMs);
    if (answer === null) throw silence(this.#channel.path, firstPartMs);
    return uploadSchema.parse(answer);
  }

  /** The part at `off`, as large as the server's buffer takes. */
  #part(image: Uint8Array, off: number, extra: object) {
    const around = smpHeaderBytes + encode({ ...extra, off, data: new Uint8Array() }).length;
    const room = this.#buffers.sizeBytes - frameBytes - around - 2;
    const length = room - (room % writeUnitBytes);
    return { ...extra, off, data: image.subarray(off, off + length) };
  }

  async #ask(question: Question, body: object): Promise<unknown> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const answer = await this.#exchange(question, body, answerMs);
      if (answer !== null) return answer;
    }
    throw silence(this.#channel.path, answerMs);
  }

  async #exchange(question: Question, body: object, timeoutMs: number): Promise<unknown> {
    const open = new Map([[await this.#send(question, body), 0]]);
    return (await this.#next(open, timeoutMs))?.body ?? null;
  }

  async #send({ op, group, command }: Question, body: object): Promise<number> {
    this.#sequence = (this.#sequence + 1) & 0xff;
    const sequence = this.#sequence;
    const packet = encodeSmp({ op, version: 1, group, sequence, command, body: encode(body) });
    await this.#channel.write(encodeSmpFrame(packet));
    return sequence;
  }

  /** The next answer to one of these requests, which is then no longer open; null when none comes. @throws SmpRefusal */
  async #next(
    open: Map<number, number>,
    timeoutMs: number,
  ): Promise<{ readonly mark: number; readonly body: unknown } | null> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const packet = this.#packets.shift();
      if (packet === undefined) {
        const received = await this.#channel.some(Math.max(1, deadlineMs - performance.now()));
        if (received !== null)
          for (const found of this.#decoder.push(received)) {
            const decoded = decodeSmp(found);
            if (decoded) this.#packets.push(decoded);
          }
        else if (performance.now() >= deadlineMs) return null;
      } else {
        const mark = open.get(packet.sequence);
        if (mark === undefined || (packet.op & 1) === 0) continue;
        open.delete(packet.sequence);
        return { mark, body: bodyOf(packet) };
      }
    }
  }
}

function bodyOf({ body }: SmpPacket): unknown {
  const content: unknown = body.length === 0 ? {} : decode(body);
  const { rc, err } = errorSchema.parse(content);
  const code = err?.rc ?? rc ?? 0;
  if (code !== 0) throw new SmpRefusal(code);
  return content;
}

/** A refusal as a problem of the bench. */
export const smpRefused = (what: string, refusal: SmpRefusal) =>
  problem(
    'bootloader-refused',
    'The board refused',
    `${what}: ${refusal.message}.`,
    'Check that the slots have room, that no other update is pending, and try again.',
  );
