import {
  type CoapRequest,
  type CoapResponse,
  CoapSocket,
} from '../../electron/coap/coap-socket.ts';
import { contentFormat, decodeContent, textIn } from '../../shared/protocols/lwm2m-content.ts';
import { readBlocks } from '../../electron/coap/block-transfer.ts';
import type { ClientCredentials } from '../../electron/coap/dtls/client-handshake.ts';
import { DtlsClient } from '../../electron/coap/dtls/dtls-client.ts';
import { type CoapAddress, coapAddress } from '../../electron/coap/peer.ts';
import { UdpPort } from '../../electron/coap/udp-port.ts';
import {
  type CoapMessage,
  coapCode,
  coapOption,
  codeText,
} from '../../shared/protocols/coap-message.ts';
import {
  optionTexts,
  optionUint,
  pathOptions,
  readBlock,
  blockOption,
  textOption,
  uintOption,
} from '../../shared/protocols/coap-options.ts';

const encoder = new TextEncoder();

/** An LwM2M device that does what the test tells it: plain text resources, one by one, or SenML only. */
export class HandLwm2mDevice {
  readonly id: string;
  readonly resources = new Map<string, string>([
    ['3/0/3', '1.0.0'],
    ['5/0/1', ''],
    ['5/0/3', '0'],
    ['5/0/5', '0'],
    ['5/0/9', '2'],
  ]);
  /** Requests that changed something: `PUT 5/0/1 coap://…`. */
  readonly commands: string[] = [];
  readonly pushed: Uint8Array[] = [];
  /** Sizes of the whole that pushes announced. */
  readonly announcedBytes: number[] = [];
  /** SenML JSON is all that it reads and writes then, whole instances as well. */
  isSenml = false;
  /** Answers other than the usual ones, by `METHOD path`. */
  readonly answers = new Map<string, number>();
  /** Object 5 as TLV; none unless given. */
  firmwareTlv: Uint8Array | null = null;
  /** Where it listens when it registers; 0 for any free port. */
  port = 0;
  /** How it registers. */
  links = '</1/0>,</3/0>,</5/0>';
  query: readonly string[] = ['lt=60', 'lwm2m=1.0', 'b=U'];
  readonly #observers = new Map<string, { token: Uint8Array; to: CoapAddress }>();
  readonly #server: CoapAddress;
  /** Who it is under DTLS, and with which key; in the clear without. */
  readonly #login: ClientCredentials | null;
  #socket: CoapSocket | null = null;
  #location: readonly string[] = [];
  #sequence = 10;

  constructor(server: string, id: string, login: ClientCredentials | null = null) {
    this.#server = coapAddress(new URL(server));
    this.#login = login;
    this.id = id;
  }

  /** Opens a new port, as after a reboot, and registers; gives the code of the answer. */
  async register(): Promise<string> {
    await this.close();
    const at = { host: '127.0.0.1', port: this.port };
    const port = this.#login ? await DtlsClient.open(at, this.#login) : await UdpPort.open(at);
    this.#socket = new CoapSocket([port], async (request) => this.#answer(request));
    this.#observers.clear();
    const response = await this.#send(
      coapCode.post,
      ['rd'],
      [`ep=${this.id}`, ...this.query],
      this.links,
    );
    this.#location = optionTexts(response.options, coapOption.locationPath);
    return codeText(response.code);
  }

  async update(links = ''): Promise<string> {
    return codeText((await this.#send(coapCode.post, this.#location, [], links)).code);
  }

  /** Goes on from another port, as behind a router that forgot it, and updates from there. */
  async move(): Promise<string> {
    await this.close();
    this.#socket = await CoapSocket.bind({ host: '127.0.0.1', port: 0 }, async (request) =>
      this.#answer(request),
    );
    this.#observers.clear();
    return this.update();
  }

  async deregister(): Promise<string> {
    return codeText((await this.#send(coapCode.delete, this.#location, [], '')).code);
  }

  /** Sets resources, and tells who observes them, in this order. */
  async set(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, value] of Object.entries(values)) this.resources.set(path, value);
    for (const path of Object.keys(values)) {
      const observer = this.#observers.get(path);
      if (!observer || !this.#socket) continue;
      await this.#socket.notify(observer.to, observer.token, this.#content(path, true));
    }
  }

  /** Downloads what its Package URI names. */
  async download(): Promise<Buffer> {
    const url = new URL(this.resources.get('5/0/1') ?? '');
    const parts: Uint8Array[] = [];
    const path = url.pathname.split('/').filter(Boolean);
    for await (const { bytes } of readBlocks(this.#opened(), coapAddress(url), { path }))
      parts.push(bytes);
    return Buffer.concat(parts);
  }

  /** Whether the cloud watches both State and Update Result. */
  get isWatched(): boolean {
    return this.#observers.has('5/0/3') && this.#observers.has('5/0/5');
  }

  async close(): Promise<void> {
    await this.#socket?.close();
    this.#socket = null;
  }

  #opened(): CoapSocket {
    if (!this.#socket) throw new Error(`${this.id} has not registered`);
    return this.#socket;
  }

  #send(
    code: number,
    path: readonly string[],
    query: readonly string[],
    body: string,
  ): Promise<CoapMessage> {
    return this.#opened().request(this.#server, {
      code,
      options: [
        ...pathOptions(path),
        ...(body === '' ? [] : [uintOption(coapOption.contentFormat, 40)]),
        ...query.map((text) => textOption(coapOption.uriQuery, text)),
      ],
      payload: encoder.encode(body),
    });
  }

  #answer(request: CoapRequest): CoapResponse {
    const path = request.path.join('/');
    const method = ['', 'GET', 'POST', 'PUT', 'DELETE'][request.code] ?? '';
    if (path === '5/0' && method === 'GET' && this.firmwareTlv) {
      const options = [uintOption(coapOption.contentFormat, 11_542)];
      return { code: coapCode.content, options, payload: this.firmwareTlv };
    }
    const told = this.answers.get(`${method} ${path}`);
    if (method === 'GET') {
      if (told !== undefined) return { code: told };
      const accept = optionUint(request.options, coapOption.accept);
      if (this.isSenml && accept !== null && accept !== contentFormat.senmlJson)
        return { code: coapCode.notAcceptable };
      if (this.isSenml && request.path.length === 2) return this.#content(path, false);
      if (!this.resources.has(path)) return { code: coapCode.notFound };
      const observe = optionUint(request.options, coapOption.observe) === 0;
      if (observe) this.#observers.set(path, { token: request.token.slice(), to: request.from });
      return this.#content(path, observe);
    }
    const format = optionUint(request.options, coapOption.contentFormat);
    if (method === 'PUT' && this.isSenml && path !== '5/0/0' && format !== contentFormat.senmlJson)
      return { code: coapCode.unsupportedFormat };
    const values = decodeContent(format, request.payload, request.path);
    const text = textIn(values, request.path[2] ?? '') ?? Buffer.from(request.payload).toString();
    if (path === '5/0/0') return this.#takeBlock(request, told);
    this.commands.push([method, path, ...(text === '' ? [] : [text])].join(' '));
    if (told !== undefined) return { code: told };
    if (method === 'PUT') {
      this.resources.set(path, text);
      if (path === '5/0/1' && text === '') {
        this.resources.set('5/0/3', '0');
        this.resources.set('5/0/5', '0');
      }
    }
    return { code: coapCode.changed };
  }

  #takeBlock(request: CoapRequest, told: number | undefined): CoapResponse {
    const block = readBlock(request.options, coapOption.block1);
    if (told !== undefined || block === null) return { code: told ?? coapCode.badRequest };
    this.pushed.push(request.payload.slice());
    const size = optionUint(request.options, coapOption.size1);
    if (size !== null) this.announcedBytes.push(size);
    return {
      code: block.more ? coapCode.continue : coapCode.changed,
      options: [blockOption(coapOption.block1, block)],
    };
  }

  #content(path: string, observe: boolean): CoapResponse {
    return {
      code: coapCode.content,
      options: [
        ...(observe ? [uintOption(coapOption.observe, this.#sequence++)] : []),
        uintOption(
          coapOption.contentFormat,
          this.isSenml ? contentFormat.senmlJson : contentFormat.text,
        ),
      ],
      payload: encoder.encode(this.isSenml ? this.#senml(path) : (this.resources.get(path) ?? '')),
    };
  }

  #senml(path: string): string {
    const listed = [...this.resources].filter(
      ([name]) => name === path || name.startsWith(`${path}/`),
    );
    return JSON.stringify(
      listed.map(([name, value]) =>
        /^\d+$/.test(value) ? { n: `/${name}`, v: Number(value) } : { n: `/${name}`, vs: value },
      ),
    );
  }
}
