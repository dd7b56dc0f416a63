import { problem } from '../../../../shared/domain/problem.ts';
import { latin1Bytes, latin1Text } from '../../../../shared/formats/bytes.ts';
import { type ByteChannel, silence } from '../byte-channel.ts';

const usualPrompt = /(?:^|\n)(?:=>|[\w-]+=>|[\w-]+[#>]) ?$/;
const refusalPattern = /unknown command|command not found/i;
const quietMs = 150;
/** Between a letter and the next of one message, also where both ends are slow. */
const messageMs = 300;
/** The longest command: one that erases a whole flash. */
const commandMs = 120_000;

/** The prompt of a bootloader: lines are typed, and what is printed is read up to the next prompt. */
export class PromptConsole {
  readonly #channel: ByteChannel;
  readonly #prompt: string | null;

  /** `prompt` is how the prompt ends; absent: the usual ones. */
  constructor(channel: ByteChannel, prompt: string | undefined) {
    this.#channel = channel;
    this.#prompt = prompt?.trimEnd() ?? null;
  }

  /** Whether this text ends with the prompt. */
  isPrompt(text: string): boolean {
    return this.#prompt === null
      ? usualPrompt.test(text)
      : text.trimEnd().endsWith(this.#prompt) && !text.endsWith('\n');
  }

  type(line: string): Promise<void> {
    return this.#channel.write(latin1Bytes(`${line}\r`));
  }

  /** Lets what was printed by then pass by. */
  async settle(): Promise<void> {
    while ((await this.#channel.some(quietMs)) !== null);
  }

  /**
   * Types a command and returns what it prints.
   * @throws ProblemError `bootloader-refused` when the bootloader does not know it, `bootloader-silent` when its prompt does not come again
   */
  async command(line: string): Promise<string> {
    await this.type(line);
    return this.afterCommand(line);
  }

  /** What a command that was typed prints up to the next prompt. @throws ProblemError as {@link command} does */
  async afterCommand(line: string): Promise<string> {
    const text = await this.text(commandMs, (heard) => this.isPrompt(heard));
    if (refusalPattern.test(text)) throw refused(line, text);
    if (!this.isPrompt(text)) throw silence(this.#channel.path, commandMs);
    return text;
  }

  /** What arrives until it is enough, or until time is up. */
  async text(limitMs: number, isEnough: (text: string) => boolean): Promise<string> {
    const deadlineMs = performance.now() + limitMs;
    let text = '';
    while (!isEnough(text)) {
      const bytes = await this.#channel.some(Math.max(0, deadlineMs - performance.now()));
      if (bytes === null) break;
      text += latin1Text(bytes);
    }
    return text;
  }

  /** What arrives until it is enough and nothing follows it at once, or until time is up. */
  async textToItsEnd(limitMs: number, isEnough: (text: string) => boolean): Promise<string> {
    const deadlineMs = performance.now() + limitMs;
    let text = '';
    for (;;) {
      const before = text;
      const leftMs = Math.max(0, deadlineMs - performance.now());
      text += await this.text(leftMs, (heard) => isEnough(before + heard));
      const more = isEnough(text) ? await this.#channel.some(messageMs) : null;
      if (more === null) return text;
      text += latin1Text(more);
    }
  }
}

/** The bootloader did not do what it was told; `text` is what it printed. */
export function refused(command: string, text: string) {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const said = lines.find((line) => refusalPattern.test(line)) ?? lines.at(1) ?? 'nothing';
  return problem(
    'bootloader-refused',
    'The bootloader refused',
    `"${command}" was answered with "${said.trim()}".`,
    'Check the boot commands of the component, or of the command line.',
  );
}
