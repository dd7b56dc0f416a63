import type { Socket } from 'node:net';

/** Follows the framing of an MQTT stream: fixed header, then as many bytes as it announces (MQTT 3.1.1, 2.2). */
export class PacketScanner {
  readonly #maxBytes: number;
  #bodyLeft = 0;
  /** Bytes of the fixed header read so far: 0 is the type, then up to 4 of the length. */
  #headerBytes = 0;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False once a packet announces more than the limit, or a length that is none. */
  accept(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= taken;
        at += taken;
        continue;
      }
      const byte = chunk[at++] ?? 0;
      if (this.#headerBytes++ === 0) continue;
      this.#length += (byte & 0x7f) * 128 ** (this.#headerBytes - 2);
      if (this.#length > this.#maxBytes) return false;
      if ((byte & 0x80) === 0) {
        this.#bodyLeft = this.#length;
        this.#headerBytes = 0;
        this.#length = 0;
      } else if (this.#headerBytes > 4) return false;
    }
    return true;
  }
}

/**
 * Closes a connection as soon as it announces a packet above the limit. The broker collects a packet
 * whole before it looks at it, so without this anyone could fill the memory with 256 MB packets.
 */
export function limitPackets(socket: Socket, maxBytes: number): void {
  const scanner = new PacketScanner(maxBytes);
  const read = socket.read.bind(socket);
  socket.read = (size?: number): Buffer | null => {
    const chunk = read(size) as Buffer | null;
    if (chunk === null || scanner.accept(chunk)) return chunk;
    socket.destroy(new Error(`a packet of more than ${maxBytes} bytes was announced`));
    return null;
  };
}
