import { problem } from '../../../../shared/domain/problem.ts';
import { latin1Text } from '../../../../shared/formats/bytes.ts';
import { crc32, sumText } from '../../../../shared/formats/crc32.ts';
import type { FirmwareImage } from '../../../../shared/formats/firmware-image.ts';
import { modem } from '../../../../shared/formats/ymodem.ts';
import type { VerifyMethod } from '../../../../shared/domain/bench-names.ts';
import type { ByteChannel } from '../byte-channel.ts';
import type { BoardIdentity, Flasher, FlashWork } from '../flasher.ts';
import { verifyFailed } from '../sector-layout.ts';
import { wholeFile } from '../whole-file.ts';
import { YmodemSender } from './ymodem-sender.ts';

const listenMs = 1100;
const attempts = 12;
const textMs = 2000;
const prompt = /(?:^|\n)(?:=>|[\w-]+=>|[\w-]+[#>]) $/;
const sumPattern = /crc-?32\b[^\n]*?(?:=|:|==>)\s*(?:0x)?([0-9a-f]{8})\b/i;
const uImageMagic = 0x27051956;
const scriptType = 6;

/** Flashes a bootloader that takes files by YMODEM: one that waits for a file, or U-Boot at its prompt. */
export class YmodemFlasher implements Flasher {
  readonly #channel: ByteChannel;
  #isUboot = false;

  constructor(channel: ByteChannel) {
    this.#channel = channel;
  }

  async connect(): Promise<BoardIdentity> {
    const known = { isSupported: true, boardId: null };
    for (let attempt = 0; attempt < attempts; attempt++) {
      const heard = await this.#text(listenMs, (text) => isCall(text) || prompt.test(text));
      if (isCall(heard))
        return { ...known, chip: 'YMODEM bootloader', remark: 'it waits for a file' };
      if (prompt.test(heard)) {
        this.#isUboot = true;
        const version = /U-Boot [\w.+-]+/.exec(await this.#command('version'))?.[0];
        return { ...known, chip: version ?? 'U-Boot', remark: 'at its prompt' };
      }
      // Stops U-Boot's countdown and brings its prompt; receivers of files leave it out.
      await this.#type('');
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
    let address = '';
    return {
      totalBytes: bytes.length,
      skippedBytes: 0,
      unchangedBytes: 0,
      startsItself: !this.#isUboot,
      write: async (tell) => {
        if (this.#isUboot) {
          await this.#type('loady');
          const words = await this.#text(textMs, (text) => /bps\.\.\./.test(text));
          address = /download to (0x[0-9a-f]+)/i.exec(words)?.[1] ?? '';
        }
        const sender = new YmodemSender(this.#channel);
        const file = { name: 'image.bin', bytes, hasCalled: !this.#isUboot };
        await sender.send(file, (done) => tell(done, bytes.length));
      },
      verify: () => this.#verify(bytes, address),
      start: async () => {
        if (this.#isUboot) await this.#type(`${startCommand(bytes)} ${address}`);
      },
    };
  }

  /** U-Boot is asked for the CRC-32; other bootloaders may print it. */
  async #verify(bytes: Uint8Array, address: string): Promise<VerifyMethod | null> {
    const text = this.#isUboot
      ? await this.#afterPrompt(`crc32 ${address} 0x${bytes.length.toString(16)}`)
      : await this.#text(textMs, (heard) => sumPattern.test(heard));
    const found = sumPattern.exec(text)?.[1]?.toLowerCase();
    if (found === undefined) return null;
    const expected = sumText(crc32(bytes));
    if (found === expected) return 'crc32';
    throw verifyFailed(`The bootloader tells the CRC-32 ${found}; the image has ${expected}.`);
  }

  async #afterPrompt(command: string): Promise<string> {
    await this.#text(textMs, (text) => prompt.test(text));
    return this.#command(command);
  }

  async #command(command: string): Promise<string> {
    await this.#type(command);
    return this.#text(textMs, (text) => prompt.test(text));
  }

  #type(line: string): Promise<void> {
    return this.#channel.write(new TextEncoder().encode(`${line}\r`));
  }

  /** What arrives until it is enough, or until time is up. */
  async #text(limitMs: number, isEnough: (text: string) => boolean): Promise<string> {
    const deadlineMs = performance.now() + limitMs;
    let text = '';
    while (!isEnough(text)) {
      const bytes = await this.#channel.some(Math.max(0, deadlineMs - performance.now()));
      if (bytes === null) break;
      text += latin1Text(bytes);
    }
    return text;
  }
}

/** Receivers call for the first block, some with text before. */
const isCall = (text: string): boolean => text.endsWith(String.fromCharCode(modem.ready));

/** How U-Boot starts what was loaded: a script, an image with a header, or bare code. */
function startCommand(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || view.getUint32(0) !== uImageMagic) return 'go';
  return bytes[30] === scriptType ? 'source' : 'bootm';
}
