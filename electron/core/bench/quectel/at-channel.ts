import { problem } from '../../../../shared/domain/problem.ts';
import { latin1Bytes, latin1Text } from '../../../../shared/formats/bytes.ts';
import { type ByteChannel, silence } from '../byte-channel.ts';

const answerMs = 5000;

/** Talks in AT commands: lines of text in both directions (3GPP TS 27.007). */
export class AtChannel {
  readonly #channel: ByteChannel;
  #text = '';

  constructor(channel: ByteChannel) {
    this.#channel = channel;
  }

  /** Sends a command and returns the lines before `OK`; null when the module says `ERROR` or nothing in time. */
  async ask(command: string, timeoutMs = answerMs): Promise<readonly string[] | null> {
    await this.send(command);
    const lines: string[] = [];
    for (;;) {
      const line = await this.line(timeoutMs);
      if (line === null || /^(ERROR|\+CM[ES] ERROR:.*)$/.test(line)) return null;
      if (line === 'OK') return lines;
      // The module echoes what it is told until `ATE0`.
      if (line !== command) lines.push(line);
    }
  }

  /** Like {@link ask}, but the module must agree. @throws ProblemError `bootloader-refused` */
  async must(command: string, timeoutMs = answerMs): Promise<readonly string[]> {
    const lines = await this.ask(command, timeoutMs);
    if (lines !== null) return lines;
    throw refused(command, 'ERROR, or nothing');
  }

  async send(command: string): Promise<void> {
    await this.#channel.write(latin1Bytes(`${command}\r`));
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    await this.#channel.write(bytes);
  }

  /** The next line that is not empty; null when none is whole in time. */
  async line(timeoutMs: number): Promise<string | null> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const end = this.#text.search(/[\r\n]/);
      if (end >= 0) {
        const line = this.#text.slice(0, end).trim();
        this.#text = this.#text.slice(end + 1);
        if (line !== '') return line;
      } else if (!(await this.#more(deadlineMs))) return null;
    }
  }

  /** Waits for a prompt that ends no line. @throws ProblemError `bootloader-refused` | `bootloader-silent` */
  async prompt(wanted: string, command: string): Promise<void> {
    for (;;) {
      const line = await this.line(answerMs);
      if (line === wanted) return;
      if (line === null) throw silence(this.#channel.path, answerMs);
      if (/^(ERROR|\+CM[ES] ERROR:.*)$/.test(line)) throw refused(command, line);
    }
  }

  /** Waits for so many acknowledgements, a letter each. @throws ProblemError `bootloader-silent` */
  async acknowledged(letter: string, timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const at = this.#text.indexOf(letter);
      if (at >= 0) {
        this.#text = this.#text.slice(at + 1);
        return;
      }
      if (!(await this.#more(deadlineMs))) throw silence(this.#channel.path, timeoutMs);
    }
  }

  /** The bytes behind a head that tells their number as its last group. @throws ProblemError `bootloader-silent` */
  async dataBehind(head: RegExp, timeoutMs: number): Promise<Uint8Array> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const found = head.exec(this.#text);
      const from = found ? found.index + found[0].length : 0;
      const count = Number(found?.at(-1));
      if (found && this.#text.length >= from + count) {
        const data = this.#text.slice(from, from + count);
        this.#text = this.#text.slice(from + count);
        return latin1Bytes(data);
      }
      if (!(await this.#more(deadlineMs))) throw silence(this.#channel.path, timeoutMs);
    }
  }

  async #more(deadlineMs: number): Promise<boolean> {
    const bytes = await this.#channel.some(Math.max(0, deadlineMs - performance.now()));
    if (bytes === null) return false;
    this.#text += latin1Text(bytes);
    return true;
  }
}

const refused = (command: string, answer: string) =>
  problem(
    'bootloader-refused',
    'The module refused',
    `${command} was answered with ${answer}.`,
    'Check the free space (AT+QFLDS) and that no other upgrade is going on.',
  );
