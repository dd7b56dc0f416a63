import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A wire between one UDP client and a server that the test reads and rewrites: what a hook returns is passed on. */
export class UdpTap {
  readonly #front: Socket;
  readonly #serverPort: number;
  #back: Socket;
  #client: { readonly port: number; readonly address: string } | null = null;
  /** All that the client has sent. */
  readonly fromClient: Buffer[] = [];
  /** All that the server has sent. */
  readonly fromServer: Buffer[] = [];
  toServer: (packet: Buffer) => readonly Buffer[] = (packet) => [packet];
  toClient: (packet: Buffer) => readonly Buffer[] = (packet) => [packet];

  private constructor(front: Socket, back: Socket, serverPort: number) {
    this.#front = front;
    this.#back = back;
    this.#serverPort = serverPort;
    front.on('message', (packet, from) => {
      this.#client = from;
      this.fromClient.push(packet);
      for (const out of this.toServer(packet)) this.inject(out);
    });
    this.#listen(back);
  }

  static async start(serverPort: number): Promise<UdpTap> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
    for (const socket of sockets) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    return new UdpTap(...sockets, serverPort);
  }

  get port(): number {
    return this.#front.address().port;
  }

  /** Sends to the server as if the client had. */
  inject(packet: Buffer): void {
    this.#back.send(packet, this.#serverPort, '127.0.0.1');
  }

  /** The server sees the client at another port from now on, as behind a NAT that has forgotten it. */
  async move(): Promise<void> {
    const old = this.#back;
    this.#back = createSocket('udp4');
    this.#back.bind(0, '127.0.0.1');
    await once(this.#back, 'listening');
    this.#listen(this.#back);
    await new Promise<void>((done) => old.close(done));
  }

  async stop(): Promise<void> {
    for (const socket of [this.#front, this.#back])
      await new Promise<void>((done) => socket.close(done));
  }

  #listen(back: Socket): void {
    back.on('message', (packet) => {
      this.fromServer.push(packet);
      const client = this.#client;
      if (client)
        for (const out of this.toClient(packet)) this.#front.send(out, client.port, client.address);
    });
  }
}
