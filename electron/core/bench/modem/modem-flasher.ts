import type { VerifyMethod } from '../../../../shared/domain/bench-names.ts';
import type { BootCommands } from '../../../../shared/domain/boot-commands.ts';
import { problem } from '../../../../shared/domain/problem.ts';
import { crc32, sumText } from '../../../../shared/formats/crc32.ts';
import type { FirmwareImage } from '../../../../shared/formats/firmware-image.ts';
import { modem, paddedToBlock } from '../../../../shared/formats/ymodem.ts';
import type { ByteChannel } from '../byte-channel.ts';
import type { BoardIdentity, Flasher, FlasherOptions, FlashWork } from '../flasher.ts';
import { verifyFailed } from '../sector-layout.ts';
import { wholeFile } from '../whole-file.ts';
import { type Call, type ModemKind, ModemSender } from './modem-sender.ts';
import { PromptConsole, refused } from './prompt-console.ts';

const listenMs = 1100;
const attempts = 12;
const textMs = 2000;
const callMs = 10_000;
const sumPattern = /crc-?32\b[^\n]*?(?:=|:|==>)\s*(?:0x)?([0-9a-f]{8})\b/i;
const uImageMagic = 0x27051956;
const scriptType = 6;

/** Flashes a bootloader that takes files by XMODEM or YMODEM: one that waits for a file, or one with a prompt, as U-Boot. */
export class ModemFlasher implements Flasher {
  readonly #channel: ByteChannel;
  readonly #console: PromptConsole;
  readonly #commands: BootCommands | undefined;
  readonly #kind: ModemKind;
  /** Null where the bootloader is at its prompt. */
  #call: Call | null = null;

  constructor(channel: ByteChannel, { bootCommands }: FlasherOptions, kind: ModemKind) {
    this.#channel = channel;
    this.#console = new PromptConsole(channel, bootCommands?.prompt);
    this.#commands = bootCommands;
    this.#kind = kind;
  }

  async connect(): Promise<BoardIdentity> {
    const console = this.#console;
    const known = { isSupported: true, boardId: null };
    for (let attempt = 0; attempt < attempts; attempt++) {
      // To its end, since a call is one letter, which words of a start message begin with as well.
      const heard = await console.textToItsEnd(listenMs, (text) => this.#isEnough(text));
      this.#call = callOf(heard, this.#kind);
      if (this.#call !== null) {
        const chip = `${this.#kind.toUpperCase()} bootloader`;
        return { ...known, chip, remark: 'it waits for a file' };
      }
      if (console.isPrompt(heard)) {
        await console.settle();
        await console.type('version');
        const text = await console.text(textMs, (said) => console.isPrompt(said));
        const version = /U-Boot [\w.+-]+/.exec(text)?.[0];
        return { ...known, chip: version ?? 'bootloader', remark: 'at its prompt' };
      }
      // Stops U-Boot's countdown and brings its prompt; receivers of files leave it out.
      await console.type('');
    }
    throw problem(
      'no-bootloader',
      'No bootloader answers',
      `${this.#channel.path}: nothing asks for a file, and there is no prompt.`,
      'Reset the board into its bootloader and check RX and TX.',
    );
  }

  async plan(image: FirmwareImage): Promise<FlashWork> {
    const bytes = wholeFile(image);
    const hasPrompt = this.#call === null;
    const commands = this.#commands;
    const withSize = (line: string): string =>
      line.replaceAll('{size}', `0x${bytes.length.toString(16)}`);
    const each = async (lines: readonly string[]): Promise<void> => {
      for (const line of lines) await this.#console.command(withSize(line));
    };
    let address = '';
    return {
      totalBytes: bytes.length,
      skippedBytes: 0,
      unchangedBytes: 0,
      startsItself: !hasPrompt,
      write: async (tell) => {
        const load = withSize(commands?.load ?? (this.#kind === 'xmodem' ? 'loadx' : 'loady'));
        if (hasPrompt) address = await this.#callFor(load);
        const sender = new ModemSender(this.#channel, this.#kind);
        const file = { name: 'image.bin', bytes, call: this.#call };
        await sender.send(file, (done) => tell(done, bytes.length));
        if (!hasPrompt) return;
        await this.#console.afterCommand(load);
        await each(commands?.write ?? []);
      },
      verify: async () => {
        if (!hasPrompt) return this.#compare(bytes, await this.#printed());
        const sum = commands ? commands.sum : `crc32 ${address} {size}`;
        await each(commands?.readBack ?? []);
        return sum === undefined
          ? null
          : this.#compare(bytes, await this.#console.command(withSize(sum)));
      },
      start: async () => {
        const start = commands ? commands.start : `${startCommand(bytes)} ${address}`;
        if (hasPrompt && start !== undefined) await this.#console.type(withSize(start));
      },
    };
  }

  /** Makes a bootloader at its prompt wait for the file; returns where that will lie, where it is told. */
  async #callFor(load: string): Promise<string> {
    await this.#console.type(load);
    const heard = await this.#console.textToItsEnd(callMs, (text) => this.#isEnough(text));
    this.#call = callOf(heard, this.#kind);
    if (this.#call === null && this.#console.isPrompt(heard)) throw refused(load, heard);
    return /download to (0x[0-9a-f]+)/i.exec(heard)?.[1] ?? '';
  }

  #isEnough(text: string): boolean {
    return callOf(text, this.#kind) !== null || this.#console.isPrompt(text);
  }

  #printed(): Promise<string> {
    return this.#console.text(textMs, (heard) => sumPattern.test(heard));
  }

  #compare(bytes: Uint8Array, text: string): VerifyMethod | null {
    const found = sumPattern.exec(text)?.[1]?.toLowerCase();
    if (found === undefined) return null;
    const expected = sumText(crc32(bytes));
    if (found === expected) return 'crc32';
    // XMODEM tells no size, so that a bootloader may count the filling of the last block as well.
    if (this.#kind === 'xmodem' && found === sumText(crc32(paddedToBlock(bytes)))) return 'crc32';
    throw verifyFailed(`The bootloader tells the CRC-32 ${found}; the image has ${expected}.`);
  }
}

/** Receivers call for the first block, some with text before, at the start of a line. */
function callOf(text: string, kind: ModemKind): Call | null {
  const last = text.charCodeAt(text.length - 1);
  if (last === modem.ready && /(?:^|\W)C+$/.test(text)) return 'ready';
  // Without CRCs: what only XMODEM knows.
  return kind === 'xmodem' && last === modem.nak ? 'nak' : null;
}

/** How U-Boot starts what was loaded: a script, an image with a header, or bare code. */
function startCommand(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || view.getUint32(0) !== uImageMagic) return 'go';
  return bytes[30] === scriptType ? 'source' : 'bootm';
}
