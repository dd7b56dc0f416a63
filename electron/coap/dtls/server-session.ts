import { alertDescription, encodeAlert, readAlert } from '../../../shared/protocols/dtls/alert.ts';
import { handshakeType, readFragments } from '../../../shared/protocols/dtls/handshake.ts';
import { type DtlsRecord, contentType } from '../../../shared/protocols/dtls/record.ts';
import type { CoapAddress } from '../peer.ts';
import type { OpenedRecord } from './secure-channel.ts';
import type { Established } from './server-handshake.ts';

/** What became of a record of a session. */
export type SessionOutcome = 'taken' | 'closed' | 'replayed' | 'forged';

let sessions = 0;

/** An established session of the server with one client. */
export class ServerSession {
  readonly #established: Established;
  readonly #send: (datagram: Uint8Array, session: ServerSession) => void;
  readonly #onContent: (bytes: Uint8Array, from: CoapAddress) => void;
  #address: CoapAddress;
  #usedMs = performance.now();

  constructor(
    established: Established,
    from: CoapAddress,
    send: (datagram: Uint8Array, session: ServerSession) => void,
    onContent: (bytes: Uint8Array, from: CoapAddress) => void,
  ) {
    this.#established = established;
    this.#send = send;
    this.#onContent = onContent;
    const { identity } = established;
    this.#address = {
      address: from.address,
      port: from.port,
      session: { id: ++sessions, identity },
    };
  }

  get id(): number {
    return this.#address.session?.id ?? 0;
  }

  get identity(): string {
    return this.#established.identity;
  }

  /** Where the client is, which changes when it has a connection id. */
  get address(): CoapAddress {
    return this.#address;
  }

  /** That by which its records are known wherever they come from; null when the client has none. */
  get connectionId(): Uint8Array | null {
    return this.#established.ids?.own ?? null;
  }

  isIdle(nowMs: number, idleMs: number): boolean {
    return nowMs - this.#usedMs > idleMs;
  }

  /** Takes a record of epoch 1 that may be of this session. */
  take(record: DtlsRecord, from: CoapAddress): SessionOutcome {
    const opened = this.#established.channel.open(record);
    if (typeof opened === 'string') return opened;
    this.#usedMs = performance.now();
    this.#follow(opened, from);
    if (opened.type === contentType.applicationData) this.#onContent(opened.content, this.#address);
    else if (opened.type === contentType.handshake) this.#onHandshake(opened.content);
    else if (opened.type === contentType.alert && isEnd(opened.content)) return 'closed';
    return 'taken';
  }

  send(content: Uint8Array): void {
    this.#send(this.#established.channel.seal(contentType.applicationData, content), this);
  }

  /** Tells the client that it is over. */
  sayGoodbye(): void {
    this.#alert(alertDescription.closeNotify);
  }

  /** Only the newest record of a session tells where the client is (RFC 9146 6). */
  #follow({ isNewest }: OpenedRecord, { address, port }: CoapAddress): void {
    const hasMoved = address !== this.#address.address || port !== this.#address.port;
    if (hasMoved && isNewest) this.#address = { ...this.#address, address, port };
  }

  #onHandshake(content: Uint8Array): void {
    const type = readFragments(content)?.[0]?.type;
    if (type === handshakeType.finished) this.#established.repeatLastFlight();
    else if (type === handshakeType.clientHello) this.#alert(alertDescription.noRenegotiation);
  }

  #alert(description: number): void {
    this.#send(this.#established.channel.seal(contentType.alert, encodeAlert(description)), this);
  }
}

function isEnd(content: Uint8Array): boolean {
  const alert = readAlert(content);
  return alert?.description === alertDescription.closeNotify || alert?.isFatal === true;
}
