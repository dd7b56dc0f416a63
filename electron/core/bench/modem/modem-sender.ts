import { problem } from '../../../../shared/domain/problem.ts';
import {
  encodeBlock,
  encodeFileBlock,
  encodeSumBlock,
  longBytes,
  modem,
  shortBytes,
} from '../../../../shared/formats/ymodem.ts';
import { type ByteChannel, silence } from '../byte-channel.ts';

const attempts = 10;
const answerMs = 10_000;
/** lrzsz listens for three seconds whether more comes behind the end. */
const endAnswerMs = 5000;
const readyMs = 60_000;
/** Some receivers (U-Boot) do not call for the data once more. */
const furtherCallMs = 1000;

/** YMODEM sends name and size before the file, XMODEM the bare file. */
export type ModemKind = 'xmodem' | 'ymodem';
/** How a receiver calls for the first block: with CRCs, or with the sums of XMODEM's first version. */
export type Call = 'ready' | 'nak';
type Answer = 'ack' | Call;

interface ModemFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** How the receiver has called already; null when it has not yet. */
  readonly call: Call | null;
}

/** Sends one file by XMODEM-1K or YMODEM (Forsberg, "XMODEM/YMODEM Protocol Reference", 1988). */
export class ModemSender {
  readonly #channel: ByteChannel;
  readonly #kind: ModemKind;

  constructor(channel: ByteChannel, kind: ModemKind) {
    this.#channel = channel;
    this.#kind = kind;
  }

  /**
   * Waits for the receiver, unless it has called already, and sends. A receiver of XMODEM that wants no CRCs gets
   * short blocks with sums; one that does not take YMODEM's block with the name gets the file by XMODEM-1K.
   * @throws ProblemError `transfer-cancelled` | `transfer-failed` | `bootloader-silent` | `port-lost`
   */
  async send({ name, bytes, call }: ModemFile, tell: (done: number) => void): Promise<void> {
    const called = call ?? (await this.#answer(readyMs));
    if (called === null) throw silence(this.#channel.path, readyMs);
    const isBatch = this.#kind === 'ymodem' && (await this.#sendName(name, bytes.length));
    const wantsSums = this.#kind === 'xmodem' && called === 'nak';
    const [size, encode] = wantsSums
      ? ([shortBytes, encodeSumBlock] as const)
      : ([longBytes, encodeBlock] as const);
    for (let at = 0, sequence = 1; at < bytes.length; at += size, sequence++) {
      const data = bytes.subarray(at, at + size);
      await this.#sendBlock(encode(sequence, data), `Block ${sequence}`);
      tell(Math.min(bytes.length, at + size));
    }
    await this.#sendBlock(Uint8Array.of(modem.end), 'The end of the file', endAnswerMs);
    if (isBatch && (await this.#isCalledAgain()))
      await this.#sendBlock(encodeFileBlock(null), 'The end of the batch');
  }

  /** Whether the receiver asks for a further file; U-Boot acknowledges the end twice before. */
  async #isCalledAgain(): Promise<boolean> {
    for (;;) {
      const answer = await this.#answer(furtherCallMs);
      if (answer !== 'ack') return answer === 'ready';
    }
  }

  /** Whether the receiver has taken block 0; one that knows XMODEM only refuses it every time. */
  async #sendName(name: string, sizeBytes: number): Promise<boolean> {
    const block = encodeFileBlock({ name, sizeBytes });
    for (let attempt = 0; attempt < 3; attempt++) {
      await this.#channel.write(block);
      if ((await this.#afterReady(answerMs)) !== 'ack') continue;
      // Most receivers call for the data as they called for the name.
      await this.#answer(furtherCallMs);
      return true;
    }
    return false;
  }

  async #sendBlock(block: Uint8Array, name: string, limitMs = answerMs): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      // Calls and answers to what was sent before must not be taken for the answer to this.
      this.#channel.clear();
      await this.#channel.write(block);
      if ((await this.#afterReady(limitMs)) === 'ack') return;
    }
    throw problem(
      'transfer-failed',
      'The transfer failed',
      `${name} was not acknowledged in ${attempts} attempts.`,
      'Lower the baud rate, check the cable and try again.',
    );
  }

  /** The answer to what was sent, without the calls that were on their way before. */
  async #afterReady(timeoutMs: number): Promise<Answer | null> {
    for (;;) {
      const answer = await this.#answer(timeoutMs);
      if (answer !== 'ready') return answer;
    }
  }

  /** The next control byte, null when none comes; text in between is left out. @throws ProblemError `transfer-cancelled` */
  async #answer(timeoutMs: number): Promise<Answer | null> {
    const deadlineMs = performance.now() + timeoutMs;
    let cancels = 0;
    for (;;) {
      const byte = await this.#channel.byteOrNull(Math.max(0, deadlineMs - performance.now()));
      if (byte === null) return null;
      if (byte === modem.ack) return 'ack';
      if (byte === modem.nak) return 'nak';
      if (byte === modem.ready) return 'ready';
      cancels = byte === modem.cancel ? cancels + 1 : 0;
      if (cancels === 2)
        throw problem(
          'transfer-cancelled',
          'The bootloader ended the transfer',
          `${this.#channel.path}: it sent two CAN bytes.`,
          'Check that the image fits, reset the board and try again.',
        );
    }
  }
}
