import { createHash } from 'node:crypto';
import { crc32 } from '../../../shared/formats/crc32.ts';
import { qiotMostBytes, qiotOta } from '../../../shared/formats/quectel.ts';

/** What the module keeps of a package at a time. */
const blockBytes = 22_536;
const reportMs = 100;

/** A package for the MCU behind the module, as a plan of the cloud offers it. */
export interface McuPackage {
  readonly componentId: string;
  /** Empty: a full package, for every version. */
  readonly sourceVersion: string;
  readonly targetVersion: string;
  readonly bytes: Uint8Array;
}

/** What the session does on the board that it is part of. */
interface Host {
  say(line: string): void;
  sendBytes(bytes: Uint8Array): void;
  later(ms: number, work: () => void): void;
}

/** How far an upgrade has come: what was offered, and the block that the MCU reads. */
interface Upgrade {
  readonly package: McuPackage;
  blockStart: number;
  state: 'offered' | 'loading' | 'updating';
}

/**
 * The cloud side of a Quectel module for the MCU behind it: versions, plan, download and blocks (Quectel developer
 * documentation, QIOT AT commands and `+QIOTEVT` reports). The cloud is the package that the board was given.
 */
export class QiotSession {
  readonly #host: Host;
  readonly #offer: McuPackage | null;
  readonly #versions = new Map<string, string>();
  #isSubscribed = false;
  #upgrade: Upgrade | null = null;

  constructor(host: Host, offer: McuPackage | null) {
    this.#host = host;
    this.#offer = offer;
  }

  /** The module restarts, and has to connect anew. */
  reset(): void {
    this.#isSubscribed = false;
    this.#upgrade = null;
  }

  /** Obeys a command of the set; false when it is none of it. */
  obey(command: string): boolean {
    const [, name = '', rest = ''] = /^AT\+QIOT([A-Z]+)(.*)$/i.exec(command) ?? [];
    const [first = '', second] = rest.replace(/^=/, '').replaceAll('"', '').split(',');
    switch (name.toUpperCase()) {
      case 'CFG':
        return this.#ok();
      case 'REG':
        return this.#ok(() => this.#register(first === '1'));
      case 'STATE':
        this.#host.say(`+QIOTSTATE: ${this.#isSubscribed ? 8 : 0}`);
        return this.#ok();
      case 'MCUVER':
        return rest === '?' ? this.#tellVersions() : this.#setVersion(first, second ?? '');
      case 'OTAREQ':
        return this.#isSubscribed ? this.#ok(() => this.#request()) : this.#error();
      case 'UPDATE':
        return this.#act(Number(first));
      case 'OTARD':
        return this.#read(Number(first), Number(second));
      default:
        return false;
    }
  }

  #ok(then?: () => void): true {
    this.#host.say('OK');
    if (then) this.#host.later(reportMs, then);
    return true;
  }

  #error(): true {
    this.#host.say('ERROR');
    return true;
  }

  #tell(type: number, code: number, ...fields: readonly (string | number)[]): void {
    const texts = fields.map((field) => (typeof field === 'string' ? `"${field}"` : field));
    this.#host.say(`+QIOTEVT: ${[type, code, ...texts].join(',')}`);
  }

  #ota(code: number, ...fields: readonly (string | number)[]): void {
    this.#tell(qiotOta.type, code, ...fields);
  }

  #register(isWanted: boolean): void {
    this.#isSubscribed = isWanted;
    if (isWanted) for (const type of [1, 2, 3]) this.#tell(type, 10200);
  }

  #tellVersions(): true {
    for (const [id, version] of this.#versions) this.#host.say(`+QIOTMCUVER: "${id}","${version}"`);
    return this.#ok();
  }

  /** An update is a success when the version that it was made for is reported. */
  #setVersion(id: string, version: string): true {
    if (version === '') this.#versions.delete(id);
    else this.#versions.set(id, version);
    const upgrade = this.#upgrade;
    if (upgrade?.state !== 'updating' || upgrade.package.componentId !== id) return this.#ok();
    this.#upgrade = null;
    const isDone = version === upgrade.package.targetVersion;
    return this.#ok(() => this.#ota(isDone ? qiotOta.success : qiotOta.failed));
  }

  /** The cloud offers its package to a component that runs the version which it is made for. */
  #request(): void {
    const offer = this.#offer;
    const runs = offer ? this.#versions.get(offer.componentId) : undefined;
    if (!offer || runs === undefined || runs === offer.targetVersion) return;
    if (offer.sourceVersion !== '' && offer.sourceVersion !== runs) return;
    this.#upgrade = { package: offer, blockStart: 0, state: 'offered' };
    const { componentId, sourceVersion, targetVersion } = offer;
    this.#ota(qiotOta.plan, componentId, sourceVersion, targetVersion, 30, -113, blockBytes);
  }

  #act(action: number): true {
    const upgrade = this.#upgrade;
    if (!upgrade) return this.#error();
    if (action === 0) {
      this.#upgrade = null;
      return this.#ok();
    }
    if (action === 1 && upgrade.state === 'offered') return this.#ok(() => this.#load(upgrade));
    if (action === 2 && upgrade.state === 'loading') {
      upgrade.blockStart += blockBytes;
      return this.#ok(() => this.#offerBlock(upgrade));
    }
    if (action !== 3 || upgrade.state !== 'loading') return this.#error();
    upgrade.state = 'updating';
    return this.#ok(() => this.#ota(qiotOta.updating));
  }

  #load(upgrade: Upgrade): void {
    const { componentId, bytes } = upgrade.package;
    const sum = (name: string): string => createHash(name).update(bytes).digest('hex');
    upgrade.state = 'loading';
    this.#ota(
      qiotOta.downloadStarts,
      componentId,
      bytes.length,
      sum('md5'),
      crc32(bytes),
      sum('sha256'),
    );
    this.#ota(qiotOta.downloading);
    this.#host.later(reportMs, () => this.#offerBlock(upgrade));
  }

  #offerBlock({ package: { componentId, bytes }, blockStart }: Upgrade): void {
    const length = Math.min(blockBytes, bytes.length - blockStart);
    if (length <= 0) return this.#ota(qiotOta.failed);
    this.#ota(qiotOta.block, componentId, bytes.length, blockStart, length);
  }

  #read(start: number, count: number): true {
    const upgrade = this.#upgrade;
    if (upgrade?.state !== 'loading' || !(count > 0 && count <= qiotMostBytes))
      return this.#error();
    const { blockStart } = upgrade;
    const end = Math.min(start + count, blockStart + blockBytes, upgrade.package.bytes.length);
    if (!(start >= blockStart && start < end)) return this.#error();
    const data = upgrade.package.bytes.subarray(start, end);
    const head = `\r\n+QIOTOTARD: ${start},${data.length}\r\n`;
    this.#host.sendBytes(Buffer.concat([Buffer.from(head), data, Buffer.from('\r\n')]));
    return this.#ok();
  }
}
