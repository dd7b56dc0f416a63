import { createHash } from 'node:crypto';
import { patchBeginning } from '../../../shared/delta/patch-head.ts';
import { updateResult } from '../../../shared/protocols/firmware-update.ts';
import { readBlocks } from '../../coap/block-transfer.ts';
import type { CoapSocket } from '../../coap/coap-socket.ts';
import { coapAddress } from '../../coap/peer.ts';
import type { SimulatedDevice } from './simulated-device.ts';

/** Update Results of Object 5 that a download or an installation may end with. */
const connectionLost = 4;
const integrityFailed = 5;
const updateFailed = 8;
const unsupportedProtocol = 9;

/** A package that an LwM2M device pulls or was pushed: checked on the way, then installed. */
export class PackageDownload {
  readonly #device: SimulatedDevice;
  readonly #version: string | null;
  readonly #pull: (signal: AbortSignal) => AsyncIterable<PulledBytes>;
  readonly #stop = new AbortController();
  readonly #hash = createHash('sha256');
  /** The bytes of what may be a delta; an image is only hashed, since thousands of devices hold the same. */
  #delta: Buffer[] | null = null;
  #begun = false;
  #sha256 = '';

  private constructor(
    device: SimulatedDevice,
    version: string | null,
    pull: (signal: AbortSignal) => AsyncIterable<PulledBytes>,
  ) {
    this.#device = device;
    this.#version = version;
    this.#pull = pull;
  }

  /** From a Package URI, whose last part says the version, since the inside of an image means nothing to a simulated device. */
  static fromUri(
    uri: string,
    scheme: 'coap:' | 'coaps:',
    socket: CoapSocket,
    device: SimulatedDevice,
  ): PackageDownload {
    const url = URL.canParse(uri) ? new URL(uri) : null;
    const path = url?.pathname.split('/').filter(Boolean).map(decodeURIComponent) ?? [];
    return new PackageDownload(device, path.at(-1) ?? null, (signal) => {
      if (url?.protocol !== scheme) throw new UnsupportedProtocol();
      return readBlocks(socket, coapAddress(url), { path }, signal);
    });
  }

  /** What was pushed. */
  static received(bytes: Uint8Array, device: SimulatedDevice): PackageDownload {
    const download = new PackageDownload(device, null, async function* () {
      yield { bytes, etag: null };
    });
    download.#take(bytes);
    download.#sha256 = download.#hash.digest('hex');
    return download;
  }

  abort(): void {
    this.#stop.abort(new Error('the download is no longer wanted'));
  }

  /** Downloads and checks; null when the package is there, else the Update Result. */
  async run(): Promise<number | null> {
    let etag: Uint8Array | null = null;
    try {
      for await (const block of this.#pull(this.#stop.signal)) {
        etag ??= block.etag;
        if (etag && block.etag && !Buffer.from(etag).equals(block.etag)) return integrityFailed;
        this.#take(block.bytes);
      }
    } catch (error) {
      return error instanceof UnsupportedProtocol ? unsupportedProtocol : connectionLost;
    }
    this.#sha256 = this.#hash.digest('hex');
    const expected = etag ? Buffer.from(etag).toString('hex') : '';
    return this.#sha256.startsWith(expected) ? null : integrityFailed;
  }

  /** Installs what was downloaded; the Update Result. */
  async install(): Promise<number> {
    const patch = this.#delta && Buffer.concat(this.#delta);
    const done = await this.#device.installUnnamed(this.#version, this.#sha256, patch);
    return done ? updateResult.success : updateFailed;
  }

  #take(bytes: Uint8Array): void {
    if (!this.#begun && this.#device.holdsImage && patchBeginning(bytes) !== 'none')
      this.#delta = [];
    this.#begun = true;
    this.#delta?.push(Buffer.from(bytes));
    this.#hash.update(bytes);
  }
}

interface PulledBytes {
  readonly bytes: Uint8Array;
  readonly etag: Uint8Array | null;
}

class UnsupportedProtocol extends Error {}
