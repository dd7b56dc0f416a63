import type { FirmwareImage } from '../../../../shared/formats/firmware-image.ts';
import { ackEveryBytes, fileChecksum, fotaErrorText } from '../../../../shared/formats/quectel.ts';
import type { ByteChannel } from '../byte-channel.ts';
import type { BoardIdentity, Flasher, FlasherOptions, FlashWork, Tell } from '../flasher.ts';
import { verifyFailed } from '../sector-layout.ts';
import { wholeFile } from '../whole-file.ts';
import { AtChannel } from './at-channel.ts';
import { connectModule, connectMs, moduleVersion, upgradeFailed } from './quectel-module.ts';

const fileName = 'slipway_fota.bin';
const ackMs = 10_000;
const uploadTimeoutSec = 30;
/** The longest that modules stay silent during an upgrade. */
const silentMs = 90_000;
const restartMs = 60_000;

/** Upgrades a Quectel module: uploads the package, or names its address, and follows the upgrade to its end. */
export class QuectelFlasher implements Flasher {
  readonly #at: AtChannel;
  readonly #path: string;
  readonly #url: string | null;

  constructor(channel: ByteChannel, options: FlasherOptions) {
    this.#at = new AtChannel(channel);
    this.#path = channel.path;
    this.#url = options.url ?? null;
  }

  connect(): Promise<BoardIdentity> {
    return connectModule(this.#at, this.#path);
  }

  async plan(image: FirmwareImage): Promise<FlashWork> {
    const bytes = wholeFile(image);
    const url = this.#url;
    return {
      totalBytes: url === null ? bytes.length : 0,
      skippedBytes: 0,
      unchangedBytes: 0,
      write: (tell) => (url === null ? this.#upload(bytes, tell) : Promise.resolve()),
      // A package that the module fetches itself is checked by the module alone.
      verify: async () => (url === null ? 'checksum' : null),
      start: () => this.#upgrade(url ?? `/data/ufs/${fileName}`),
      askVersion: () => this.#versionAfterRestart(),
    };
  }

  async #upload(bytes: Uint8Array, tell: Tell): Promise<void> {
    await this.#at.ask(`AT+QFDEL="${fileName}"`);
    const command = `AT+QFUPL="${fileName}",${bytes.length},${uploadTimeoutSec},1`;
    await this.#at.send(command);
    await this.#at.prompt('CONNECT', command);
    for (let at = 0; at < bytes.length; at += ackEveryBytes) {
      const part = bytes.subarray(at, at + ackEveryBytes);
      await this.#at.sendBytes(part);
      if (part.length === ackEveryBytes) await this.#at.acknowledged('A', ackMs);
      tell(at + part.length, bytes.length);
    }
    await this.#checkUpload(bytes);
  }

  async #checkUpload(bytes: Uint8Array): Promise<void> {
    const expected = fileChecksum(bytes).toString(16);
    for (;;) {
      const line = await this.#at.line(ackMs);
      if (line === null || /ERROR/.test(line))
        throw verifyFailed(`The upload ended with ${line ?? 'nothing'}.`);
      const told = /^\+QFUPL:\s*(\d+),\s*([0-9a-f]+)$/i.exec(line);
      if (!told) continue;
      const [, size, sum = ''] = told;
      if (Number(size) === bytes.length && Number.parseInt(sum, 16) === fileChecksum(bytes)) return;
      throw verifyFailed(
        `The module holds ${size} bytes with the checksum ${sum}; sent were ${bytes.length} with ${expected}.`,
      );
    }
  }

  /** Starts the upgrade and follows its reports to the end. @throws ProblemError `upgrade-failed` */
  async #upgrade(from: string): Promise<void> {
    await this.#at.must(`AT+QFOTADL="${from}"`);
    for (;;) {
      const line = await this.#at.line(silentMs);
      if (line === null) throw upgradeFailed('the module reported nothing any more');
      const report = /^\+QIND:\s*"FOTA","([A-Z]+)"(?:,(\d+))?/.exec(line);
      if (!report) continue;
      const [, event = '', code = '0'] = report;
      const isEnd = event === 'END' || event === 'HTTPEND' || event === 'FTPEND';
      if (isEnd && code !== '0') throw upgradeFailed(fotaErrorText(Number(code)));
      if (event === 'END') return;
    }
  }

  async #versionAfterRestart(): Promise<string | null> {
    const deadlineMs = performance.now() + restartMs;
    while (performance.now() < deadlineMs) {
      const line = await this.#at.line(connectMs);
      if (line !== null && line !== 'RDY') continue;
      if ((await this.#at.ask('AT', connectMs)) === null) continue;
      await this.#at.ask('ATE0');
      return moduleVersion(this.#at);
    }
    return null;
  }
}
