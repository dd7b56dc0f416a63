import { createHash } from 'node:crypto';
import type { McuVersion } from '../../../../shared/domain/bench.ts';
import { problem } from '../../../../shared/domain/problem.ts';
import type { FirmwareImage } from '../../../../shared/formats/firmware-image.ts';
import { qiotFaultText, qiotMostBytes, qiotOta } from '../../../../shared/formats/quectel.ts';
import type { ByteChannel } from '../byte-channel.ts';
import type { BoardIdentity, Flasher, FlasherOptions, FlashWork, Tell } from '../flasher.ts';
import { verifyFailed } from '../sector-layout.ts';
import { wholeFile } from '../whole-file.ts';
import { AtChannel } from './at-channel.ts';
import { connectModule, upgradeFailed } from './quectel-module.ts';

const cloudMs = 60_000;
/** Nothing is reported when there is no plan. */
const planMs = 10_000;
const blockMs = 90_000;
const readMs = 5000;
const subscribed = '8';
const readyCodes = { type: 3, code: 10200 } as const;
const action = { confirm: 1, nextBlock: 2, updating: 3 } as const;

/** One `+QIOTEVT` report: its type, its code, and what follows, without quotes. */
interface Report {
  readonly type: number;
  readonly code: number;
  readonly fields: readonly string[];
}

/** What the module will hand over, as it announces it. */
interface Offer {
  readonly targetVersion: string;
  readonly md5: string;
}

/**
 * Stands in for the MCU behind a Quectel module: asks the cloud for the upgrade plan, takes the package out of the
 * module block by block, compares it with the image, and reports the new version (QIOT AT commands, SOTA sequence).
 */
export class QiotFlasher implements Flasher {
  readonly #at: AtChannel;
  readonly #path: string;
  readonly #mcu: McuVersion | undefined;

  constructor(channel: ByteChannel, { mcu }: FlasherOptions) {
    this.#at = new AtChannel(channel);
    this.#path = channel.path;
    this.#mcu = mcu;
  }

  connect(): Promise<BoardIdentity> {
    return connectModule(this.#at, this.#path);
  }

  async plan(image: FirmwareImage): Promise<FlashWork> {
    const wanted = wholeFile(image);
    const mcu = await this.#register();
    await this.#reachCloud();
    const taken = new Uint8Array(wanted.length);
    let offer: Offer | null = null;
    return {
      totalBytes: wanted.length,
      skippedBytes: 0,
      unchangedBytes: 0,
      write: async (tell) => {
        offer = await this.#take(mcu, taken, tell);
      },
      verify: async () => {
        compare(taken, wanted, offer);
        return 'md5';
      },
      start: () => this.#report(mcu.componentId, offer?.targetVersion ?? ''),
      askVersion: async () =>
        (await this.#versions()).find(({ componentId }) => componentId === mcu.componentId)
          ?.version ?? null,
    };
  }

  /** Tells the module what the MCU runs, or asks it. @throws ProblemError `mcu-unknown` */
  async #register(): Promise<McuVersion> {
    if (this.#mcu) {
      const { componentId, version } = this.#mcu;
      await this.#at.must(`AT+QIOTMCUVER="${componentId}","${version}"`);
      return this.#mcu;
    }
    const [only, ...others] = await this.#versions();
    if (only && others.length === 0) return only;
    throw problem(
      'mcu-unknown',
      'It is not known which MCU to upgrade',
      `The module names ${only ? `${others.length + 1} components` : 'none'} (AT+QIOTMCUVER?).`,
      'Name the component and the version that it runs: --mcu STM32=1.0.0.',
      'usage',
    );
  }

  async #versions(): Promise<readonly McuVersion[]> {
    const lines = await this.#at.must('AT+QIOTMCUVER?');
    return lines.flatMap((line) => {
      const [, componentId, version] = /^\+QIOTMCUVER:\s*"([^"]+)","([^"]*)"/.exec(line) ?? [];
      return componentId === undefined || version === undefined ? [] : [{ componentId, version }];
    });
  }

  /** Connects the module to its cloud unless it is. @throws ProblemError `upgrade-failed` with the reason in words */
  async #reachCloud(): Promise<void> {
    const state = (await this.#at.must('AT+QIOTSTATE?')).join();
    if (/^\+QIOTSTATE:\s*(\d+)/.exec(state)?.[1] === subscribed) return;
    await this.#at.must('AT+QIOTREG=1');
    await this.#reported(readyCodes.type, readyCodes.code, cloudMs);
  }

  async #take(mcu: McuVersion, taken: Uint8Array, tell: Tell): Promise<Offer> {
    // With 1 the SHA-256 is asked for as well.
    await this.#at.must('AT+QIOTOTAREQ=1');
    const [component, source, targetVersion = ''] = await this.#ota(qiotOta.plan, planMs);
    if (component !== mcu.componentId || (source !== '' && source !== mcu.version))
      throw upgradeFailed(
        `the plan upgrades ${component} from ${source || 'any version'}, not ${mcu.componentId} from ${mcu.version}`,
      );
    await this.#at.must(`AT+QIOTUPDATE=${action.confirm}`);
    const [, size, md5 = ''] = await this.#ota(qiotOta.downloadStarts, blockMs);
    if (Number(size) !== taken.length)
      throw verifyFailed(`The package has ${size} bytes; the image has ${taken.length}.`);
    for (let done = 0; done < taken.length; ) {
      if (done > 0) await this.#at.must(`AT+QIOTUPDATE=${action.nextBlock}`);
      const [, , start, length] = (await this.#ota(qiotOta.block, blockMs)).map(Number);
      const end = Math.min(taken.length, (start ?? 0) + (length ?? 0));
      if (start !== done || end <= done) throw upgradeFailed(`it offered a block at ${start}`);
      while (done < end) {
        done += await this.#read(taken.subarray(done, end), done);
        tell(done, taken.length);
      }
    }
    return { targetVersion, md5: md5.toLowerCase() };
  }

  /** Reads what one command gives into `room`; returns how much that is. */
  async #read(room: Uint8Array, start: number): Promise<number> {
    const count = Math.min(room.length, qiotMostBytes);
    await this.#at.send(`AT+QIOTOTARD=${start},${count}`);
    const data = await this.#at.dataBehind(/\+QIOTOTARD:\s*\d+,(\d+)\r\n/, readMs);
    await this.#at.prompt('OK', 'AT+QIOTOTARD');
    if (data.length === 0 || data.length > count)
      throw upgradeFailed(`it gave ${data.length} bytes instead of ${count}`);
    room.set(data);
    return data.length;
  }

  /** The MCU has the package: it is updated, and runs the new version. */
  async #report(componentId: string, version: string): Promise<void> {
    await this.#at.must(`AT+QIOTUPDATE=${action.updating}`);
    await this.#ota(qiotOta.updating, cloudMs);
    await this.#at.must(`AT+QIOTMCUVER="${componentId}","${version}"`);
    await this.#ota(qiotOta.success, cloudMs);
  }

  async #ota(code: number, limitMs: number): Promise<readonly string[]> {
    return (await this.#reported(qiotOta.type, code, limitMs)).fields;
  }

  /** Waits for a report. @throws ProblemError `upgrade-failed` when a fault comes instead, or nothing */
  async #reported(type: number, code: number, limitMs: number): Promise<Report> {
    const deadlineMs = performance.now() + limitMs;
    for (;;) {
      const line = await this.#at.line(Math.max(0, deadlineMs - performance.now()));
      if (line === null) throw upgradeFailed(`nothing within ${limitMs / 1000} s: ${waits[code]}`);
      const report = reportOf(line);
      if (report?.type === type && report.code === code) return report;
      if (!report) continue;
      if (report.type === qiotOta.type && report.code === qiotOta.failed)
        throw upgradeFailed('the upgrade failed (7,10706)');
      const fault = qiotFaultText(report.type, report.code);
      if (fault !== null) throw upgradeFailed(fault);
    }
  }
}

/** What is said when a report does not come. */
const waits: Readonly<Record<number, string>> = {
  [readyCodes.code]: 'it does not reach the cloud',
  [qiotOta.plan]: 'the cloud has no plan for this component and version',
  [qiotOta.downloadStarts]: 'the download does not begin',
  [qiotOta.block]: 'the next block does not come',
  [qiotOta.updating]: 'it does not note that the MCU is updated',
  [qiotOta.success]: 'the cloud does not take the new version for a success',
};

function reportOf(line: string): Report | null {
  const [, type, code, rest = ''] = /^\+QIOTEVT:\s*(\d+),(\d+)(?:,(.*))?$/.exec(line) ?? [];
  if (type === undefined || code === undefined) return null;
  const fields = rest.split(',').map((field) => field.replaceAll('"', ''));
  return { type: Number(type), code: Number(code), fields };
}

function compare(taken: Uint8Array, wanted: Uint8Array, offer: Offer | null): void {
  const md5 = createHash('md5').update(taken).digest('hex');
  if (md5 !== offer?.md5)
    throw verifyFailed(`What came has the MD5 ${md5}; the module tells ${offer?.md5}.`);
  const at = taken.findIndex((byte, index) => byte !== wanted[index]);
  if (at >= 0)
    throw verifyFailed(`The package is another one than the image, first at byte ${at}.`);
}
