import type { HandshakeFailure } from './server-handshake.ts';

/** Why a record was dropped. */
export type DroppedRecord =
  | 'malformed'
  | 'no-session'
  | 'replayed'
  | 'forged'
  | 'too-many-failures';

/** What a server has done so far, to be watched. */
export class DtlsCounts {
  readonly #failures = new Map<HandshakeFailure, number>();
  readonly #dropped = new Map<DroppedRecord, number>();
  #succeeded = 0;

  succeeded(): void {
    this.#succeeded++;
  }

  failed(reason: HandshakeFailure): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  dropped(reason: DroppedRecord): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  /** Handshakes that have led to a session. */
  get handshakes(): number {
    return this.#succeeded;
  }

  get failures(): ReadonlyMap<HandshakeFailure, number> {
    return this.#failures;
  }

  get droppedRecords(): ReadonlyMap<DroppedRecord, number> {
    return this.#dropped;
  }
}
