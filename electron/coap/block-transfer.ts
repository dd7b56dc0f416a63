import {
  type CoapMessage,
  type CoapOption,
  coapCode,
  coapOption,
  codeText,
  isSuccess,
} from '../../shared/protocols/coap-message.ts';
import {
  blockOption,
  largestBlockBytes,
  optionUint,
  pathOptions,
  readBlock,
  uintOption,
} from '../../shared/protocols/coap-options.ts';
import type { CoapRequest, CoapResponse, CoapSocket } from './coap-socket.ts';
import { type CoapAddress, Peer } from './peer.ts';

/** An answer that was not what was asked for. */
export class CoapRefusal extends Error {
  readonly code: number;
  constructor(what: string, code: number) {
    super(`${what} was answered with ${codeText(code)}`);
    this.name = 'CoapRefusal';
    this.code = code;
  }
}

/** Content that is served in blocks. */
export interface BlockContent {
  readonly sizeBytes: number;
  /** 1 to 8 bytes that stand for exactly this content. */
  readonly etag: Uint8Array;
  /** Bytes `start` to `end` exclusive. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** Answers a GET with the block that it asks for, or the first one (RFC 7959 2.4). */
export async function answerBlock(
  request: CoapRequest,
  content: BlockContent,
): Promise<CoapResponse> {
  const asked = readBlock(request.options, coapOption.block2) ?? {
    number: 0,
    more: false,
    sizeBytes: largestBlockBytes,
  };
  const sizeBytes = Math.min(asked.sizeBytes, largestBlockBytes);
  const start = asked.number * asked.sizeBytes;
  if (start >= content.sizeBytes && start > 0) return { code: coapCode.badRequest };
  const end = Math.min(start + sizeBytes, content.sizeBytes);
  const block = { number: start / sizeBytes, more: end < content.sizeBytes, sizeBytes };
  return {
    code: coapCode.content,
    options: [
      { number: coapOption.etag, value: content.etag },
      uintOption(coapOption.contentFormat, 42),
      blockOption(coapOption.block2, block),
      ...(start === 0 ? [uintOption(coapOption.size2, content.sizeBytes)] : []),
    ],
    payload: await content.read(start, end),
  };
}

/** What a download brought with every block. */
export interface ReceivedBlock {
  readonly bytes: Uint8Array;
  readonly etag: Uint8Array | null;
  /** Size of the whole, when it was told. */
  readonly totalBytes: number | null;
  readonly contentFormat: number | null;
}

/**
 * Reads content block by block (RFC 7959 2.4).
 * @throws CoapRefusal when a block is refused or comes out of order; CoapSilence
 */
export async function* readBlocks(
  socket: CoapSocket,
  from: CoapAddress,
  resource: { readonly path: readonly string[]; readonly accept?: number },
  signal?: AbortSignal,
): AsyncGenerator<ReceivedBlock> {
  const path = pathOptions(resource.path);
  const accept =
    resource.accept === undefined ? [] : [uintOption(coapOption.accept, resource.accept)];
  let sizeBytes = largestBlockBytes;
  for (let start = 0; ; ) {
    const block = { number: start / sizeBytes, more: false, sizeBytes };
    const options = [...path, ...accept, blockOption(coapOption.block2, block)];
    const response = await socket.request(from, { code: coapCode.get, options }, signal);
    if (response.code !== coapCode.content) throw new CoapRefusal('the download', response.code);
    const received = readBlock(response.options, coapOption.block2);
    if ((received?.number ?? 0) * (received?.sizeBytes ?? 0) !== start)
      throw new CoapRefusal('a block out of order', response.code);
    yield {
      bytes: response.payload,
      etag: optionBytes(response, coapOption.etag),
      totalBytes: optionUint(response.options, coapOption.size2),
      contentFormat: optionUint(response.options, coapOption.contentFormat),
    };
    start += response.payload.length;
    if (!received?.more) return;
    sizeBytes = Math.min(sizeBytes, received.sizeBytes);
    if (response.payload.length !== received.sizeBytes)
      throw new CoapRefusal('a short block in the middle', response.code);
  }
}

function optionBytes(message: CoapMessage, number: number): Uint8Array | null {
  return message.options.find((option) => option.number === number)?.value ?? null;
}

/**
 * Writes content block by block (RFC 7959 2.5); the other side may ask for smaller blocks.
 * @throws CoapRefusal, CoapSilence
 */
export async function writeBlocks(
  socket: CoapSocket,
  to: CoapAddress,
  path: readonly string[],
  content: { readonly sizeBytes: number; read(start: number, end: number): Promise<Uint8Array> },
  onBytes: (sentBytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  let sizeBytes = largestBlockBytes;
  for (let start = 0; start < content.sizeBytes; ) {
    const end = Math.min(start + sizeBytes, content.sizeBytes);
    const block = { number: start / sizeBytes, more: end < content.sizeBytes, sizeBytes };
    const options = [
      ...pathOptions(path),
      uintOption(coapOption.contentFormat, 42),
      blockOption(coapOption.block1, block),
      // The device can tell at the first block whether it has room (RFC 7959 4).
      ...(start === 0 ? [uintOption(coapOption.size1, content.sizeBytes)] : []),
    ];
    const payload = await content.read(start, end);
    const response = await socket.request(to, { code: coapCode.put, options, payload }, signal);
    const wanted = readBlock(response.options, coapOption.block1)?.sizeBytes ?? sizeBytes;
    if (response.code === coapCode.tooLarge && wanted < sizeBytes) {
      sizeBytes = wanted;
      continue;
    }
    if (!isSuccess(response.code)) throw new CoapRefusal('a block of the package', response.code);
    start = end;
    if (wanted < sizeBytes && start % wanted === 0) sizeBytes = wanted;
    onBytes(start);
  }
}

/** One request body that arrives in blocks. */
interface Upload {
  readonly parts: Uint8Array[];
  sizeBytes: number;
  atMs: number;
}

const uploadLifetimeMs = 247_000;
const maxUploads = 10_000;

/** Puts request bodies together that come in blocks (RFC 7959 2.5), up to a limit in bytes each. */
export class BlockUploads {
  readonly #maxBytes: number;
  readonly #uploads = new Map<string, Upload>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The whole body once it is there; until then the response that asks for the next block or refuses. */
  take(
    request: CoapRequest,
  ): { readonly body: Uint8Array; readonly options: readonly CoapOption[] } | CoapResponse {
    const block = readBlock(request.options, coapOption.block1);
    if (block === null) return { body: request.payload, options: [] };
    const key = `${Peer.keyOf(request.from)} ${request.code} ${request.path.join('/')}`;
    if (block.number === 0) this.#begin(key);
    const upload = this.#uploads.get(key);
    if (!upload || upload.sizeBytes !== block.number * block.sizeBytes)
      return { code: coapCode.incomplete };
    upload.parts.push(request.payload);
    upload.sizeBytes += request.payload.length;
    upload.atMs = performance.now();
    if (upload.sizeBytes > this.#maxBytes) {
      this.#uploads.delete(key);
      return { code: coapCode.tooLarge };
    }
    const options = [blockOption(coapOption.block1, block)];
    if (block.more) return { code: coapCode.continue, options };
    this.#uploads.delete(key);
    return { body: Buffer.concat(upload.parts), options };
  }

  #begin(key: string): void {
    const nowMs = performance.now();
    this.#uploads.delete(key);
    for (const [oldKey, { atMs }] of this.#uploads) {
      if (nowMs - atMs < uploadLifetimeMs && this.#uploads.size < maxUploads) break;
      this.#uploads.delete(oldKey);
    }
    this.#uploads.set(key, { parts: [], sizeBytes: 0, atMs: nowMs });
  }
}
