/** Bytes that one exchange between the engine and its client carries. */
export const exchangeBytes = 1024 * 1024;

/** What the engine's thread gets when it is started. */
export interface RarEngineData {
  /** Two 32-bit words, the second the result of a request; then the data of one exchange. */
  readonly shared: SharedArrayBuffer;
  readonly archiveBytes: number;
  /** Most pages of 64 KiB that the engine may use. */
  readonly mostPages: number;
}

/** What the engine asks for or tells; it sleeps until each but the last is answered. */
export type RarRequest =
  | { readonly kind: 'read'; readonly offset: number; readonly length: number }
  | { readonly kind: 'begin'; readonly index: number }
  | { readonly kind: 'data'; readonly length: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'done'; readonly members: number }
  | { readonly kind: 'failed'; readonly reason: string };
