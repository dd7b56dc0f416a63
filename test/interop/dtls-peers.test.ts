import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { answerBlock, readBlocks } from '../../electron/coap/block-transfer.ts';
import { type CoapRequest, CoapSocket } from '../../electron/coap/coap-socket.ts';
import { DtlsClient } from '../../electron/coap/dtls/dtls-client.ts';
import { DtlsServer } from '../../electron/coap/dtls/dtls-server.ts';
import { coapCode } from '../../shared/protocols/coap-message.ts';
import { pathOptions } from '../../shared/protocols/coap-options.ts';
import { until } from '../support/cloud.ts';
import { missing, peer } from '../support/peers.ts';

/** libcoap takes a key from its command line as it stands there. */
const keyText = 'a key of 16 byte';
const key = Buffer.from(keyText);
const image = randomBytes(70_000);
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve() {
  const failed: string[] = [];
  const asked: CoapRequest[] = [];
  const server = await DtlsServer.open({
    host: '127.0.0.1',
    port: 0,
    keyOf: (identity) => (identity === 'dev-1' ? key : null),
    onFailure: (reason) => failed.push(reason),
  });
  const socket = new CoapSocket([server], async (request) => {
    asked.push({ ...request, payload: request.payload.slice() });
    if (request.code !== coapCode.get) return { code: coapCode.created };
    const etag = Uint8Array.of(1);
    const read = async (start: number, end: number) => image.subarray(start, end);
    return answerBlock(request, { sizeBytes: image.length, etag, read });
  });
  closers.push(() => socket.close());
  return { server, socket, failed, asked, url: `coaps://127.0.0.1:${server.port}` };
}

/** Runs a program until the test is over; `said` is all that it has written. */
function run(name: string, args: readonly string[], debian: string) {
  const child: ChildProcess = spawn(name, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { child, said: '' };
  closers.push(async () => {
    if (child.exitCode !== null || child.pid === undefined) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
  child.once('error', () => {
    output.said = missing(name, debian).message;
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: Buffer) => {
      output.said += text.toString();
    });
  return output;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((done) => socket.close(done));
  return port;
}

async function connect(suites?: readonly number[]) {
  const credentials = { identity: 'dev-1', key, ...(suites ? { suites } : {}) };
  const client = await DtlsClient.open({ host: '127.0.0.1', port: 0 }, credentials);
  const socket = new CoapSocket([client], async () => ({ code: coapCode.notFound }));
  closers.push(() => socket.close());
  return { client, socket };
}

const libraries = ['openssl', 'gnutls'] as const;

test.each(libraries)(
  'libcoap on %s posts, downloads in blocks, and is refused a wrong key',
  async (library) => {
    const { server, failed, asked, url } = await serve();
    const program = `coap-client-${library}`;
    const login = ['-u', 'dev-1', '-k', keyText];
    const post = ['-m', 'post', '-t', '40', '-e', '</3/0>', ...login, `${url}/rd?ep=dev-1`];
    expect((await peer(program, post, 'libcoap3-bin')).stderr).toBe('');
    expect(asked[0]).toMatchObject({ path: ['rd'], query: ['ep=dev-1'] });
    expect(asked[0]?.from.session?.identity).toBe('dev-1');

    const folder = await mkdtemp(join(tmpdir(), 'slipway-dtls-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const out = join(folder, 'image.bin');
    const get = ['-m', 'get', ...login, '-o', out, `${url}/a/1`];
    expect((await peer(program, get, 'libcoap3-bin')).stderr).toBe('');
    expect((await readFile(out)).equals(image)).toBe(true);

    for (const wrong of [
      ['-u', 'dev-1', '-k', 'another'],
      ['-u', 'nobody', '-k', keyText],
    ]) {
      const refused = await peer(program, ['-m', 'get', '-B', '5', ...wrong, url], 'libcoap3-bin');
      expect(refused.stdout + refused.stderr).toMatch(/decrypt error/i);
    }
    expect(failed).toEqual(['wrong-key', 'unknown-identity']);
    // libcoap closes its sessions.
    await until(
      () => server.sessions,
      (count) => count === 0,
    );
  },
  30_000,
);

const suites = [
  ['PSK-AES128-GCM-SHA256', 0x00a8],
  ['PSK-AES128-CCM', 0xc0a4],
  ['PSK-AES128-CCM8', 0xc0a8],
] as const;
const openssl = ['-dtls1_2', '-psk', key.toString('hex')];

test.each(suites)(
  "OpenSSL's client agrees on %s, and is not let negotiate again",
  async (cipher) => {
    const { server } = await serve();
    const at = ['-connect', `127.0.0.1:${server.port}`, '-psk_identity', 'dev-1'];
    const client = run('openssl', ['s_client', ...openssl, ...at, '-cipher', cipher], 'openssl');
    await until(
      () => client.said,
      (said) => said.includes('Extended master secret: yes'),
    );
    expect(client.said).toContain(`Cipher is ${cipher}`);
    expect(client.said).toContain('Secure Renegotiation IS supported');
    expect(server.sessions).toBe(1);
    client.child.stdin?.write('R\n');
    await until(
      () => client.said,
      (said) => /no renegotiation/i.test(said),
    );
    expect(server.handshakes).toBe(0);
  },
  30_000,
);

test("OpenSSL's client is refused what is not known here, by name", async () => {
  const { server, failed } = await serve();
  const at = ['-connect', `127.0.0.1:${server.port}`, '-psk_identity', 'dev-1'];
  const cipher = ['-cipher', 'PSK-AES256-GCM-SHA384'];
  const { stderr } = await peer('openssl', ['s_client', ...openssl, ...at, ...cipher]);
  expect(stderr).toContain('alert handshake failure');
  expect(failed).toEqual(['no-common-suite']);
});

test.each(suites)(
  "the client agrees with OpenSSL's server on %s",
  async (cipher, suite) => {
    const port = await freeUdpPort();
    const args = ['s_server', ...openssl, '-accept', `127.0.0.1:${port}`, '-nocert', '-listen'];
    const server = run('openssl', [...args, '-cipher', cipher], 'openssl');
    await until(
      () => server.said,
      (said) => said.includes('ACCEPT') || said.includes('missing'),
    );
    const { client } = await connect([suite]);
    client.send(Buffer.from('hello under DTLS\n'), { address: '127.0.0.1', port });
    await until(
      () => server.said,
      (said) => said.includes('hello under DTLS'),
    );
    expect(server.said).toContain(cipher);
  },
  30_000,
);

test.each(libraries)(
  "the client reads from libcoap's server on %s",
  async (library) => {
    const port = await freeUdpPort();
    // The port of CoAP in the clear; that of DTLS is the next one.
    const args = ['-A', '127.0.0.1', '-p', String(port), '-k', keyText];
    const server = run(`coap-server-${library}`, args, 'libcoap3-bin');
    const { socket } = await connect();
    const at = { address: '127.0.0.1', port: port + 1 };
    const parts: Buffer[] = [];
    for await (const { bytes } of readBlocks(socket, at, { path: ['.well-known', 'core'] }))
      parts.push(Buffer.from(bytes));
    expect(Buffer.concat(parts).toString(), server.said).toContain('</time>');
    const request = { code: coapCode.get, options: pathOptions(['time']) };
    expect((await socket.request(at, request)).code).toBe(coapCode.content);
  },
  30_000,
);
