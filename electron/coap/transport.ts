import type { CoapAddress } from './peer.ts';

/** Carries the datagrams of CoAP: UDP as it is, or under DTLS. */
export interface CoapTransport {
  readonly port: number;
  /** Set by who uses it: called with each datagram for CoAP. */
  onDatagram: (bytes: Uint8Array, from: CoapAddress) => void;
  /** Set by who uses it: nothing reaches this peer any longer. */
  onGone: (peer: CoapAddress, why: string) => void;
  /** Whether this peer is reached by it now. */
  reaches(peer: CoapAddress): boolean;
  /** A datagram that cannot leave is a lost one. */
  send(bytes: Uint8Array, to: CoapAddress): void;
  close(): Promise<void>;
}
