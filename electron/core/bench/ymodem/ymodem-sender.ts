import { problem } from '../../../../shared/domain/problem.ts';
import {
  encodeBlock,
  encodeFileBlock,
  longBytes,
  modem,
} from '../../../../shared/formats/ymodem.ts';
import { type ByteChannel, silence } from '../byte-channel.ts';

const attempts = 10;
const answerMs = 10_000;
const readyMs = 60_000;
/** Some receivers (U-Boot) ask for no further file. */
const furtherFileMs = 1000;

type Answer = 'ack' | 'nak' | 'ready';

/** Sends one file by YMODEM with blocks of 1 KiB (Forsberg, "XMODEM/YMODEM Protocol Reference", 1988). */
export class YmodemSender {
  readonly #channel: ByteChannel;

  constructor(channel: ByteChannel) {
    this.#channel = channel;
  }

  /**
   * Waits for the receiver, unless it `hasCalled` already, and sends; one that does not take the block with the name gets the file by XMODEM-1K.
   * @throws ProblemError `transfer-cancelled` | `transfer-failed` | `bootloader-silent` | `port-lost`
   */
  async send(
    file: { readonly name: string; readonly bytes: Uint8Array; readonly hasCalled: boolean },
    tell: (done: number) => void,
  ): Promise<void> {
    if (!file.hasCalled && (await this.#answer(readyMs)) === null)
      throw silence(this.#channel.path, readyMs);
    const isYmodem = await this.#sendName(file.name, file.bytes.length);
    for (let at = 0, sequence = 1; at < file.bytes.length; at += longBytes, sequence++) {
      const data = file.bytes.subarray(at, at + longBytes);
      await this.#sendBlock(encodeBlock(sequence, data), `Block ${sequence}`);
      tell(Math.min(file.bytes.length, at + longBytes));
    }
    await this.#sendBlock(Uint8Array.of(modem.end), 'The end of the file');
    if (isYmodem && (await this.#answer(furtherFileMs)) === 'ready')
      await this.#sendBlock(encodeFileBlock(null), 'The end of the batch');
  }

  /** Whether the receiver has taken block 0; one that knows XMODEM only refuses it every time. */
  async #sendName(name: string, sizeBytes: number): Promise<boolean> {
    const block = encodeFileBlock({ name, sizeBytes });
    for (let attempt = 0; attempt < 3; attempt++) {
      await this.#channel.write(block);
      if ((await this.#afterReady(answerMs)) !== 'ack') continue;
      // The receiver asks for the data as it asked for the name.
      await this.#answer(answerMs);
      return true;
    }
    return false;
  }

  async #sendBlock(block: Uint8Array, name: string): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      await this.#channel.write(block);
      if ((await this.#afterReady(answerMs)) === 'ack') return;
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
