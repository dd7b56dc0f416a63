import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

const silenceTimeoutMs = 30_000;
const answerMaxBytes = 1024 * 1024;

/** An answer other than a success. */
export class HttpRefusal extends Error {
  readonly status: number;
  constructor(status: number, url: string) {
    super(`${new URL(url).pathname.split('/').at(-1)} was answered with status ${status}`);
    this.name = 'HttpRefusal';
    this.status = status;
  }
}

interface Call {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly url: string;
  /** The device's own secret. */
  readonly secret: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** HTTP as devices speak it, over kept connections that the whole fleet shares. */
export class DeviceHttp {
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor({ connections }: { readonly connections: number }) {
    const options = { keepAlive: true, maxSockets: connections };
    this.#http = new HttpAgent(options);
    this.#https = new HttpsAgent(options);
  }

  /** Sends a call and reads its JSON answer. @throws HttpRefusal on a status of 300 or more */
  async call(call: Call): Promise<unknown> {
    const response = await this.open(call);
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for await (const chunk of response) {
      sizeBytes += (chunk as Buffer).length;
      if (sizeBytes > answerMaxBytes) throw new Error('the answer is too long');
      chunks.push(chunk as Buffer);
    }
    const status = response.statusCode ?? 0;
    if (status >= 300) throw new HttpRefusal(status, call.url);
    const text = Buffer.concat(chunks).toString();
    return text === '' ? null : (JSON.parse(text) as unknown);
  }

  /** Sends a call and gives the answer as a stream, whatever its status. */
  async open(call: Call): Promise<IncomingMessage> {
    for (;;) {
      try {
        return await this.#send(call);
      } catch (error) {
        if (!(error instanceof ClosedWhileIdle)) throw error;
      }
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #send(call: Call): Promise<IncomingMessage> {
    const { method, url, secret, headers, json } = call;
    const body = json === undefined ? null : JSON.stringify(json);
    const isHttps = url.startsWith('https:');
    return new Promise((done, fail) => {
      const request = (isHttps ? httpsRequest : httpRequest)(url, {
        method,
        agent: isHttps ? this.#https : this.#http,
        headers: {
          authorization: `TargetToken ${secret}`,
          ...headers,
          ...(body === null
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      });
      request.setTimeout(silenceTimeoutMs, () => request.destroy(new Error('no answer')));
      request.once('response', done);
      request.on('error', (error: NodeJS.ErrnoException) =>
        fail(request.reusedSocket && error.code === 'ECONNRESET' ? new ClosedWhileIdle() : error),
      );
      request.end(body);
    });
  }
}

/** The other side closed a kept connection just as it was used again: the call never arrived. */
class ClosedWhileIdle extends Error {}
