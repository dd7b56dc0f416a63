const end = 0xc0;
const escape = 0xdb;
const escapedEnd = 0xdc;
const escapedEscape = 0xdd;

/** Frames a packet for a serial line (RFC 1055), with an END on both sides. */
export function encodeSlip(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(packet.length * 2 + 2);
  let at = 0;
  frame[at++] = end;
  for (const byte of packet) {
    if (byte === end || byte === escape) {
      frame[at++] = escape;
      frame[at++] = byte === end ? escapedEnd : escapedEscape;
    } else frame[at++] = byte;
  }
  frame[at++] = end;
  return frame.subarray(0, at);
}

/** Takes SLIP frames out of a stream of bytes; what stands outside of frames is ignored. */
export class SlipDecoder {
  #packet: number[] | null = null;
  #isEscaped = false;

  /** Returns the packets that end in these bytes. */
  push(bytes: Uint8Array): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (const byte of bytes) {
      if (byte === end) {
        if (this.#packet === null || this.#packet.length === 0) this.#packet = [];
        else {
          packets.push(Uint8Array.from(this.#packet));
          this.#packet = null;
        }
        this.#isEscaped = false;
      } else if (this.#packet !== null) this.#add(byte);
    }
    return packets;
  }

  #add(byte: number): void {
    if (!this.#isEscaped && byte === escape) {
      this.#isEscaped = true;
      return;
    }
    const plain = byte === escapedEnd ? end : byte === escapedEscape ? escape : byte;
    this.#packet?.push(this.#isEscaped ? plain : byte);
    this.#isEscaped = false;
  }
}
