import { decode, encode } from 'cborg';
import { z } from 'zod';
import {
  decodeSmp,
  encodeSmp,
  encodeSmpFrame,
  frameBytes,
  smp,
  SmpFrameDecoder,
  type SmpPacket,
} from '../../../shared/formats/smp-frame.ts';
import { hexText } from '../../../shared/formats/image-facts.ts';
import { startHash } from '../../files/start-hash.ts';
import { type BoardSetup, VirtualBoard } from '../virtual-board.ts';
import { McubootSlots, readSlot, type SlotImage } from './mcuboot-slots.ts';

const slotBytes = 448 * 1024;
const bufferBytes = 1024;
const bufferCount = 4;
const pageBytes = 4096;
/** Typical times of an nRF52840: erase of a page, write of a word. */
const pageEraseMs = 85;
const wordWriteMs = 0.041;
/** MCUboot moves both images through one page; erase twice and copy. */
const swapMsPerPage = 2 * pageEraseMs;

const codes = { invalid: 3, noEntry: 5, state: 6, notSupported: 8 } as const;

const bytes = z.instanceof(Uint8Array);
const uploadSchema = z.object({
  off: z.number().int().nonnegative(),
  data: bytes,
  len: z.number().int().positive().nullish(),
  sha: bytes.nullish(),
  image: z.number().int().nullish(),
});
const stateSchema = z.object({ hash: bytes.nullish(), confirm: z.boolean().nullish() });

interface Upload {
  readonly total: number;
  readonly sha: string;
  readonly bytes: Uint8Array;
  offset: number;
}

/** What a request is answered: a body, or the code of an error. */
type Result = object | number;

/**
 * A Zephyr board that listens to SMP on its console, with MCUboot and two slots on an nRF52840's flash (Zephyr
 * documentation, "SMP Protocol Specification", "Application/software image management group").
 */
export class VirtualSmpBoard extends VirtualBoard {
  readonly #slots = new McubootSlots();
  #decoder = new SmpFrameDecoder();
  #upload: Upload | null = null;
  #secondaryBytes = 0;
  #isUp = true;
  /** Requests are answered one after the other. */
  #queue: Promise<void> = Promise.resolve();

  constructor(setup: BoardSetup) {
    super({ bitsPerByte: 10, baudRate: 115_200, ...setup });
  }

  protected override restart(): void {
    this.#decoder = new SmpFrameDecoder();
    this.#isUp = false;
    const pages = this.#slots.pending ? Math.ceil(this.#secondaryBytes / pageBytes) : 0;
    const lines = this.#slots.start();
    this.sendText(`${lines.join('\r\n')}\r\n`);
    this.later(pages * swapMsPerPage, () => {
      this.#isUp = true;
      const { version } = this.#slots.primary;
      this.sendText(
        `*** Booting Zephyr OS build v3.7.0 ***\r\n<inf> main: version ${version}\r\nuart:~$ `,
      );
    });
  }

  protected override take(received: Uint8Array): void {
    if (!this.#isUp) return;
    for (const packet of this.#decoder.push(received)) {
      const request = packet.length + frameBytes <= bufferBytes ? decodeSmp(packet) : null;
      if (request) this.#queue = this.#queue.then(() => this.#serve(request));
    }
  }

  async #serve(request: SmpPacket): Promise<void> {
    const result = await this.#result(request);
    const { group, version } = request;
    const body =
      typeof result !== 'number'
        ? result
        : version === 0
          ? { rc: result }
          : { err: { group, rc: result } };
    const answer = encodeSmp({ ...request, op: request.op + 1, body: encode(body) });
    this.send(encodeSmpFrame(answer));
  }

  async #result({ op, group, command, body }: SmpPacket): Promise<Result> {
    const content: unknown = body.length === 0 ? {} : decode(body);
    if (group === smp.osGroup) return this.#system(command, content);
    if (group !== smp.imageGroup) return codes.notSupported;
    if (command === smp.imageState && op === smp.read) return this.#state();
    if (command === smp.imageState && op === smp.write) return this.#setState(content);
    if (command === smp.imageUpload && op === smp.write) return this.#receive(content);
    return codes.notSupported;
  }

  #system(command: number, content: unknown): Result {
    if (command === smp.echo) {
      const echo = z.object({ d: z.string() }).safeParse(content);
      return echo.success ? { r: echo.data.d } : codes.invalid;
    }
    if (command === smp.parameters) return { buf_size: bufferBytes, buf_count: bufferCount };
    if (command === smp.info) return { output: 'nrf52840dk/nrf52840' };
    if (command !== smp.reset) return codes.notSupported;
    this.later(100, () => this.reset());
    return {};
  }

  #state(): Result {
    const { primary, secondary, isConfirmed, pending } = this.#slots;
    const describe = (slot: number, { version, hash }: SlotImage) => ({
      slot,
      version,
      hash,
      bootable: true,
      pending: slot === 1 && pending !== null,
      confirmed: slot === 0 && isConfirmed,
      active: slot === 0,
      permanent: slot === 1 && (pending?.isPermanent ?? false),
    });
    return {
      images: [describe(0, primary), ...(secondary ? [describe(1, secondary)] : [])],
      splitStatus: 0,
    };
  }

  #setState(content: unknown): Result {
    const wanted = stateSchema.safeParse(content);
    if (!wanted.success) return codes.invalid;
    const { hash, confirm } = wanted.data;
    const { primary, secondary } = this.#slots;
    const isOf = (image: SlotImage | null): boolean =>
      image !== null && hash != null && hexText(image.hash) === hexText(hash);
    if (hash == null || isOf(primary)) {
      if (!confirm) return codes.invalid;
      this.#slots.confirm();
    } else if (isOf(secondary)) this.#slots.request(confirm ?? false);
    else return codes.noEntry;
    return this.#state();
  }

  async #receive(content: unknown): Promise<Result> {
    const chunk = uploadSchema.safeParse(content);
    if (!chunk.success) return codes.invalid;
    const { off, data, len, sha } = chunk.data;
    if (off === 0) {
      if (len == null || len > slotBytes) return codes.invalid;
      if (this.#slots.pending) return codes.state;
      const name = sha ? hexText(sha) : '';
      // The same image again goes on where it was left.
      if (name !== '' && name === this.#upload?.sha) return { off: this.#upload.offset };
      this.#upload = { total: len, sha: name, bytes: new Uint8Array(len), offset: 0 };
      this.#slots.secondary = null;
      this.busy(Math.ceil(len / pageBytes) * pageEraseMs);
    }
    const upload = this.#upload;
    if (!upload) return codes.state;
    if (off !== upload.offset) return { off: upload.offset };
    if (off + data.length > upload.total) return codes.invalid;
    upload.bytes.set(data, off);
    upload.offset += data.length;
    this.busy((data.length / 4) * wordWriteMs);
    if (off === 0) this.sendText('<inf> mcumgr_img_grp: upload has begun\r\n');
    return upload.offset === upload.total ? this.#close(upload) : { off: upload.offset };
  }

  async #close({ bytes: image, sha, offset }: Upload): Promise<Result> {
    this.#slots.secondary = await readSlot(image);
    this.#secondaryBytes = offset;
    this.#upload = null;
    if (sha === '') return { off: offset };
    const hash = startHash('sha256');
    hash.update(image);
    return { off: offset, match: hexText(hash.digest()) === sha };
  }
}
