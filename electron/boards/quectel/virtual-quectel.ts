import { latin1Text } from '../../../shared/formats/bytes.ts';
import { ackEveryBytes, fileChecksum } from '../../../shared/formats/quectel.ts';
import { type McuPackage, QiotSession } from './qiot-session.ts';
import { type BoardSetup, VirtualBoard } from '../virtual-board.ts';

const firstImei = 867_698_040_000_001;
const model = 'EG800K';
const firstVersion = 'EG800KEULCR07A07M04_01.300.01.300';
const spaceBytes = 4 * 1024 * 1024;
const versionInPackage = /EG800K[A-Z0-9]+M\d+_\d\d\.\d{3}\.\d\d\.\d{3}/;
const stepMs = 250;
const restartMs = 1500;
const writeBytesPerMs = 200;
const steps = [7, 28, 52, 75, 96] as const;

interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
  filled: number;
}

interface QuectelOptions extends BoardSetup {
  /** What the cloud has for the MCU behind the module. */
  readonly mcuPackage?: McuPackage | undefined;
}

/** A Quectel EG800K on its AT port: identification, files, and the upgrade from a file or an address with its reports; and its part in upgrades of the MCU behind it. */
export class VirtualQuectel extends VirtualBoard {
  readonly #files = new Map<string, Uint8Array>();
  #version = firstVersion;
  readonly #imei: string;
  #line = '';
  #echoes = true;
  #upload: Upload | null = null;
  #isUp = true;
  readonly #qiot: QiotSession;

  constructor({ mcuPackage, unit = 0, ...setup }: QuectelOptions) {
    super({ bitsPerByte: 10, baudRate: 115_200, ...setup });
    this.#imei = String(firstImei + unit);
    const host = {
      say: (line: string) => this.#say(line),
      sendBytes: (bytes: Uint8Array) => this.send(bytes),
      later: (ms: number, work: () => void) => this.later(ms, work),
    };
    this.#qiot = new QiotSession(host, mcuPackage ?? null);
  }

  protected override restart(): void {
    this.#line = '';
    this.#upload = null;
    this.#qiot.reset();
    this.#echoes = true;
    this.#isUp = false;
    this.later(restartMs, () => {
      this.#isUp = true;
      this.#say('RDY');
    });
  }

  protected override take(bytes: Uint8Array): void {
    if (!this.#isUp) return;
    const rest = this.#upload ? this.#takeFile(this.#upload, bytes) : bytes;
    for (const letter of latin1Text(rest)) {
      if (letter !== '\r') {
        if (letter !== '\n') this.#line += letter;
        continue;
      }
      const command = this.#line;
      this.#line = '';
      if (this.#echoes && command !== '') this.sendText(`${command}\r`);
      if (/^AT/i.test(command)) this.#obey(command);
    }
  }

  #say(...lines: readonly string[]): void {
    for (const line of lines) this.sendText(`\r\n${line}\r\n`);
  }

  #obey(command: string): void {
    const upload = /^AT\+QFUPL="([^"]+)",(\d+)(?:,\d+,1)?/i.exec(command);
    if (upload) return this.#beginFile(upload[1] ?? '', Number(upload[2]));
    const removal = /^AT\+QFDEL="([^"]+)"/i.exec(command);
    if (removal) {
      const isKnown = this.#files.delete(removal[1] ?? '');
      return this.#say(isKnown ? 'OK' : '+CME ERROR: 405');
    }
    const upgrade = /^AT\+QFOTADL="([^"]+)"/i.exec(command);
    if (upgrade) return this.#upgrade(upgrade[1] ?? '');
    if (this.#qiot.obey(command)) return;
    const answers: Readonly<Record<string, readonly string[]>> = {
      AT: [],
      ATI: ['Quectel', model, `Revision: ${this.#version}`],
      'AT+QGMR': [this.#version],
      'AT+CGMR': [this.#version],
      'AT+GSN': [this.#imei],
      'AT+QFLDS': [`+QFLDS: ${spaceBytes},${spaceBytes}`],
    };
    if (/^ATE[01]$/i.test(command)) this.#echoes = command.endsWith('1');
    else if (answers[command.toUpperCase()] === undefined) return this.#say('ERROR');
    this.#say(...(answers[command.toUpperCase()] ?? []), 'OK');
  }

  #beginFile(name: string, sizeBytes: number): void {
    if (sizeBytes === 0 || sizeBytes > spaceBytes) return this.#say('+CME ERROR: 423');
    if (this.#files.has(name)) return this.#say('+CME ERROR: 407');
    this.#upload = { name, bytes: new Uint8Array(sizeBytes), filled: 0 };
    this.#say('CONNECT');
  }

  /** Takes what belongs to the file and returns the rest. */
  #takeFile(upload: Upload, received: Uint8Array): Uint8Array {
    const part = received.subarray(0, upload.bytes.length - upload.filled);
    const before = Math.floor(upload.filled / ackEveryBytes);
    upload.bytes.set(part, upload.filled);
    upload.filled += part.length;
    this.busy(part.length / writeBytesPerMs);
    const whole = Math.floor(upload.filled / ackEveryBytes) - before;
    if (whole > 0) this.sendText('A'.repeat(whole));
    if (upload.filled === upload.bytes.length) {
      this.#files.set(upload.name, upload.bytes);
      this.#upload = null;
      const sum = fileChecksum(upload.bytes).toString(16);
      this.#say(`+QFUPL: ${upload.bytes.length},${sum}`, 'OK');
    }
    return received.subarray(part.length);
  }

  /** Upgrades from a file of its own, or from an address that it fetches itself. */
  #upgrade(from: string): void {
    const file = this.#files.get(from.replace(/^\/data\/ufs\//, ''));
    const isAddress = /^https?:\/\//.test(from);
    if (!file && !isAddress) return this.#say('+CME ERROR: 405');
    this.#say('OK');
    if (file) return this.#check(file);
    this.#report('"HTTPSTART"');
    void fetchPackage(from).then((fetched) => {
      this.later(0, () => {
        this.#report(`"HTTPEND",${fetched ? 0 : 701}`);
        if (fetched) this.#check(fetched);
      });
    });
  }

  #check(file: Uint8Array): void {
    const version = versionInPackage.exec(latin1Text(file))?.[0];
    this.later(stepMs, () => {
      this.#report('"START"');
      if (version === undefined) this.later(stepMs, () => this.#report('"END",505'));
      else this.later(stepMs, () => this.#install(version, 0));
    });
  }

  #install(version: string, step: number): void {
    const share = steps[step];
    if (share !== undefined) {
      this.#report(`"UPDATING",${share}`);
      return this.later(stepMs, () => this.#install(version, step + 1));
    }
    this.#version = version;
    this.#report('"END",0');
    this.later(stepMs, () => this.reset());
  }

  #report(event: string): void {
    this.#say(`+QIND: "FOTA",${event}`);
  }
}

async function fetchPackage(url: string): Promise<Uint8Array | null> {
  try {
    const answer = await fetch(url);
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  } catch {
    return null;
  }
}
