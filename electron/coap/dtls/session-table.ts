import { type CoapAddress, Peer } from '../peer.ts';
import type { ServerSession } from './server-session.ts';

const hexOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

/** At an address without its session. */
const placeOf = ({ address, port }: CoapAddress): string => Peer.keyOf({ address, port });

/** The sessions of a server, by all that they are looked up by; in the order in which they began. */
export class SessionTable {
  readonly #byId = new Map<number, ServerSession>();
  readonly #byPlace = new Map<string, ServerSession>();
  readonly #byConnectionId = new Map<string, ServerSession>();
  readonly #byIdentity = new Map<string, Set<ServerSession>>();

  get size(): number {
    return this.#byId.size;
  }

  all(): IterableIterator<ServerSession> {
    return this.#byId.values();
  }

  byId(id: number): ServerSession | null {
    return this.#byId.get(id) ?? null;
  }

  byAddress(address: CoapAddress): ServerSession | null {
    return this.#byPlace.get(placeOf(address)) ?? null;
  }

  byConnectionId(id: Uint8Array): ServerSession | null {
    return this.#byConnectionId.get(hexOf(id)) ?? null;
  }

  /** The oldest first. */
  ofIdentity(identity: string): Iterable<ServerSession> {
    return this.#byIdentity.get(identity) ?? [];
  }

  add(session: ServerSession): void {
    this.#byId.set(session.id, session);
    if (session.connectionId) this.#byConnectionId.set(hexOf(session.connectionId), session);
    // With a connection id its address says nothing: behind a NAT it may be another's by now.
    else this.#byPlace.set(placeOf(session.address), session);
    const others = this.#byIdentity.get(session.identity) ?? new Set();
    this.#byIdentity.set(session.identity, others.add(session));
  }

  remove(session: ServerSession): void {
    this.#byId.delete(session.id);
    if (session.connectionId) this.#byConnectionId.delete(hexOf(session.connectionId));
    else if (this.byAddress(session.address) === session)
      this.#byPlace.delete(placeOf(session.address));
    const others = this.#byIdentity.get(session.identity);
    others?.delete(session);
    if (others?.size === 0) this.#byIdentity.delete(session.identity);
  }
}
