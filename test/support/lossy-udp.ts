import { type RemoteInfo, type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Shares of the packets, 0..1. */
export interface Faults {
  readonly lost: number;
  readonly twice: number;
  /** Held back long enough that later packets overtake them. */
  readonly late: number;
}

/** What the network did to the packets of both directions. */
export interface FaultCounts {
  passed: number;
  lost: number;
  twice: number;
  late: number;
}

const lateMs = 60;

/** A network between devices and a server that loses, repeats and reorders UDP packets, by the numbers of `random`. */
export class LossyUdp {
  readonly counts: FaultCounts = { passed: 0, lost: 0, twice: 0, late: 0 };
  readonly #front: Socket;
  /** One socket towards the server for each device, so that the server tells the devices apart. */
  readonly #backs = new Map<string, Socket>();
  readonly #serverPort: number;
  readonly #faults: Faults;
  readonly #random: () => number;

  private constructor(serverPort: number, faults: Faults, random: () => number) {
    this.#serverPort = serverPort;
    this.#faults = faults;
    this.#random = random;
    this.#front = createSocket({ type: 'udp4', recvBufferSize: 1 << 21 });
    this.#front.on('message', (packet, from) => this.#fromDevice(packet, from));
  }

  static async start(serverPort: number, faults: Faults, random: () => number): Promise<LossyUdp> {
    const network = new LossyUdp(serverPort, faults, random);
    network.#front.bind(0, '127.0.0.1');
    await once(network.#front, 'listening');
    return network;
  }

  get port(): number {
    return this.#front.address().port;
  }

  async stop(): Promise<void> {
    for (const socket of [this.#front, ...this.#backs.values()])
      await new Promise<void>((done) => socket.close(done));
  }

  #fromDevice(packet: Buffer, from: RemoteInfo): void {
    const key = `${from.address}:${from.port}`;
    let back = this.#backs.get(key);
    if (!back) {
      back = createSocket('udp4');
      back.on('message', (answer) => {
        const packet = this.#readdressed(answer);
        this.#pass(() => this.#front.send(packet, from.port, from.address));
      });
      this.#backs.set(key, back);
    }
    const out = back;
    this.#pass(() => out.send(packet, this.#serverPort, '127.0.0.1'));
  }

  /** Addresses of artifacts name the server itself: downloads shall come through here as well. */
  #readdressed(packet: Buffer): Buffer {
    const [server, here] = [`127.0.0.1:${this.#serverPort}`, `127.0.0.1:${this.port}`];
    const at = server.length === here.length ? packet.indexOf(server) : -1;
    if (at >= 0) packet.write(here, at, 'latin1');
    return packet;
  }

  #pass(send: () => void): void {
    const { lost, twice, late } = this.#faults;
    const fate = this.#random();
    if (fate < lost) {
      this.counts.lost++;
      return;
    }
    this.counts.passed++;
    const isTwice = fate < lost + twice;
    const isLate = !isTwice && fate < lost + twice + late;
    if (isTwice) {
      this.counts.twice++;
      send();
    }
    if (!isLate) send();
    else {
      this.counts.late++;
      setTimeout(() => {
        // The device may have got a new port meanwhile, and the test may be over.
        try {
          send();
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING') throw error;
        }
      }, lateMs);
    }
  }
}
