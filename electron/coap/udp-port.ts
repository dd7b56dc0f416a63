import { type Socket, createSocket } from 'node:dgram';
import { type LookupOneOptions, lookup } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import type { CoapAddress } from './peer.ts';
import type { CoapTransport } from './transport.ts';

/** Kernel buffer, so that the datagrams of thousands of devices survive a busy moment. */
const receiveBufferBytes = 4 * 1024 * 1024;

/** A port of UDP, which carries CoAP as it is. */
export class UdpPort implements CoapTransport {
  readonly #socket: Socket;
  onDatagram: CoapTransport['onDatagram'] = () => undefined;
  onGone: CoapTransport['onGone'] = () => undefined;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes, { address, port }) => this.onDatagram(bytes, { address, port }));
    // An address that cannot be reached shows as silence of that peer; the socket itself goes on.
    socket.on('error', () => undefined);
  }

  /** Opens a port; 0 means any free one. Fails with the error of the system when it cannot be had. */
  static async open(at: { readonly host: string; readonly port: number }): Promise<UdpPort> {
    const type = isIPv6(at.host) ? 'udp6' : 'udp4';
    const socket = createSocket({ type, lookup: lookupNames });
    await new Promise<void>((done, fail) => {
      socket.once('error', fail);
      socket.bind(at.port, at.host, () => {
        socket.off('error', fail);
        done();
      });
    });
    try {
      socket.setRecvBufferSize(receiveBufferBytes);
    } catch {
      // The system allows less: it works, with more retransmissions under load.
    }
    return new UdpPort(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  reaches({ session }: CoapAddress): boolean {
    return session === undefined;
  }

  send(bytes: Uint8Array, to: CoapAddress): void {
    if (!this.#isClosed) this.#socket.send(bytes, to.port, to.address);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await new Promise<void>((done) => this.#socket.close(() => done()));
  }
}

/** Names are looked up; an address is taken as it is, at once, since every datagram asks. */
function lookupNames(
  host: string,
  options: LookupOneOptions,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  const family = isIP(host);
  if (family === 0) lookup(host, options, done);
  else done(null, host, family);
}
