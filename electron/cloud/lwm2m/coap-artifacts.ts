import { buffer } from 'node:stream/consumers';
import { keepNewest } from '../../../shared/domain/newest.ts';
import { coapCode, coapOption } from '../../../shared/protocols/coap-message.ts';
import { readBlock } from '../../../shared/protocols/coap-options.ts';
import { type BlockContent, answerBlock } from '../../coap/block-transfer.ts';
import type { CoapRequest, CoapResponse } from '../../coap/coap-socket.ts';
import type { ArtifactKeys } from '../store/artifact-keys.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import type { StoredPackage } from '../store/packages.ts';
import type { RolloutEngine } from '../plans/rollout-engine.ts';

/** How long blocks are served before the job is looked up again: it may have been closed meanwhile. */
const trustedMs = 10_000;
const maxRemembered = 20_000;
const etagBytes = 8;

interface OpenDownload {
  readonly content: BlockContent;
  readonly key: string;
  readonly atMs: number;
}

/** The content of a package as blocks; its entity tag is the beginning of its SHA-256. */
export function packageContent(store: ArtifactStore, pkg: StoredPackage): BlockContent {
  const { artifact } = pkg;
  return {
    sizeBytes: artifact.sizeBytes,
    etag: Buffer.from(artifact.sha256, 'hex').subarray(0, etagBytes),
    async read(start, end) {
      const bytes = await store.read(artifact, start, end - 1);
      return Buffer.isBuffer(bytes) ? bytes : buffer(bytes);
    },
  };
}

/** Serves artifacts block-wise at `/a/{job}/{key}/…`, as the Package URI of a job names them. */
export class CoapArtifacts {
  readonly #parts: { readonly engine: RolloutEngine; readonly artifacts: ArtifactStore };
  readonly #keys: ArtifactKeys;
  readonly #open = new Map<number, OpenDownload>();
  /** Called with every block that leaves: the job, and how much of the artifact was asked for, 0..1. */
  onBlock: (actionId: number, share: number) => void = () => undefined;

  constructor(
    parts: { readonly engine: RolloutEngine; readonly artifacts: ArtifactStore },
    keys: ArtifactKeys,
  ) {
    this.#parts = parts;
    this.#keys = keys;
  }

  async answer(request: CoapRequest): Promise<CoapResponse> {
    if (request.code !== coapCode.get) return { code: coapCode.methodNotAllowed };
    const actionId = Number(request.path[1]);
    const key = request.path[2] ?? '';
    const content = Number.isSafeInteger(actionId) ? await this.#contentOf(actionId, key) : null;
    if (content === null) return { code: coapCode.notFound };
    const identity = request.from.session?.identity;
    if (identity !== undefined && identity !== this.#parts.engine.deviceOf(actionId))
      return { code: coapCode.forbidden };
    const asked = readBlock(request.options, coapOption.block2);
    const start = asked ? asked.number * asked.sizeBytes : 0;
    this.onBlock(actionId, Math.min(1, start / content.sizeBytes));
    return answerBlock(request, content);
  }

  async #contentOf(actionId: number, key: string): Promise<BlockContent | null> {
    const nowMs = performance.now();
    const known = this.#open.get(actionId);
    if (known?.key === key && nowMs - known.atMs < trustedMs) return known.content;
    if (!this.#keys.fits(actionId, key)) return null;
    const { engine, artifacts } = this.#parts;
    const deviceId = engine.deviceOf(actionId);
    const job = deviceId === null ? 'unknown' : await engine.begin(deviceId, actionId, true);
    if (typeof job === 'string') return null;
    const content = packageContent(artifacts, job.pkg);
    keepNewest(this.#open, actionId, { content, key, atMs: nowMs }, maxRemembered);
    return content;
  }
}
