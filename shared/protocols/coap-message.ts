/** How a message is carried (RFC 7252 3): confirmable, non-confirmable, acknowledgement, reset. */
export type CoapType = 'con' | 'non' | 'ack' | 'rst';

/** An option by its number (RFC 7252 5.10). */
export interface CoapOption {
  readonly number: number;
  readonly value: Uint8Array;
}

/** One CoAP message; `code` is class × 32 + detail, 0 for an empty message. */
export interface CoapMessage {
  readonly type: CoapType;
  readonly code: number;
  /** 0 to 65535. */
  readonly messageId: number;
  /** Up to 8 bytes. */
  readonly token: Uint8Array;
  /** Ascending by number. */
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
}

/** Codes of RFC 7252 12.1 and RFC 7959 2.9 that are used here. */
export const coapCode = {
  empty: 0,
  get: 0x01,
  post: 0x02,
  put: 0x03,
  delete: 0x04,
  created: 0x41,
  deleted: 0x42,
  changed: 0x44,
  content: 0x45,
  continue: 0x5f,
  badRequest: 0x80,
  unauthorized: 0x81,
  badOption: 0x82,
  forbidden: 0x83,
  notFound: 0x84,
  methodNotAllowed: 0x85,
  notAcceptable: 0x86,
  incomplete: 0x88,
  preconditionFailed: 0x8c,
  tooLarge: 0x8d,
  unsupportedFormat: 0x8f,
  serverError: 0xa0,
  unavailable: 0xa3,
} as const;

/** Option numbers of RFC 7252 12.2, RFC 7641 and RFC 7959 that are used here. */
export const coapOption = {
  ifMatch: 1,
  uriHost: 3,
  etag: 4,
  observe: 6,
  uriPort: 7,
  locationPath: 8,
  uriPath: 11,
  contentFormat: 12,
  uriQuery: 15,
  accept: 17,
  block2: 23,
  block1: 27,
  size2: 28,
  size1: 60,
} as const;

const types: readonly CoapType[] = ['con', 'non', 'ack', 'rst'];
const version = 1;
const maxTokenBytes = 8;
const payloadMarker = 0xff;
const nothing = new Uint8Array(0);

/** The code as it is written: `2.05`. */
export function codeText(code: number): string {
  return `${code >> 5}.${String(code & 31).padStart(2, '0')}`;
}

/** Whether a response code tells success (class 2). */
export const isSuccess = (code: number): boolean => code >> 5 === 2;

/** The bytes of a message (RFC 7252 3). Options must be ascending by number. */
export function encodeCoap(message: CoapMessage): Uint8Array {
  const { token, options, payload } = message;
  const optionBytes = options.reduce((sum, { value }) => sum + value.length + 5, 0);
  const bytes = new Uint8Array(5 + token.length + optionBytes + payload.length);
  bytes[0] = (version << 6) | (types.indexOf(message.type) << 4) | token.length;
  bytes[1] = message.code;
  bytes[2] = message.messageId >> 8;
  bytes[3] = message.messageId & 0xff;
  bytes.set(token, 4);
  let at = 4 + token.length;
  let last = 0;
  for (const { number, value } of options) {
    const head = at++;
    const delta = extended(bytes, at, number - last);
    at += delta.bytes;
    const length = extended(bytes, at, value.length);
    at += length.bytes;
    bytes[head] = (delta.nibble << 4) | length.nibble;
    bytes.set(value, at);
    at += value.length;
    last = number;
  }
  if (payload.length > 0) {
    bytes[at++] = payloadMarker;
    bytes.set(payload, at);
    at += payload.length;
  }
  return bytes.subarray(0, at);
}

/** Writes what does not fit the nibble (RFC 7252 3.1). */
function extended(
  bytes: Uint8Array,
  at: number,
  value: number,
): { readonly nibble: number; readonly bytes: number } {
  if (value < 13) return { nibble: value, bytes: 0 };
  if (value < 269) {
    bytes[at] = value - 13;
    return { nibble: 13, bytes: 1 };
  }
  bytes[at] = (value - 269) >> 8;
  bytes[at + 1] = (value - 269) & 0xff;
  return { nibble: 14, bytes: 2 };
}

/** Reads a message; null when it breaks the format (RFC 7252 3), which a receiver ignores or resets. */
export function decodeCoap(bytes: Uint8Array): CoapMessage | null {
  const { 0: head = 0, 1: code = 0, 2: high = 0, 3: low = 0 } = bytes;
  const tokenLength = head & 15;
  const optionsAt = 4 + tokenLength;
  if (bytes.length < optionsAt || head >> 6 !== version || tokenLength > maxTokenBytes) return null;
  if (code === coapCode.empty && bytes.length > 4) return null;
  const rest = decodeOptions(bytes, optionsAt);
  if (rest === null) return null;
  return {
    type: types[(head >> 4) & 3] ?? 'con',
    code,
    messageId: (high << 8) | low,
    token: bytes.subarray(4, optionsAt),
    ...rest,
  };
}

function decodeOptions(
  bytes: Uint8Array,
  from: number,
): { readonly options: CoapOption[]; readonly payload: Uint8Array } | null {
  const options: CoapOption[] = [];
  let number = 0;
  let at = from;
  const take = (nibble: number): number | null => {
    if (nibble < 13) return nibble;
    if (nibble === 15) return null;
    const more = nibble === 13 ? 1 : 2;
    if (at + more > bytes.length) return null;
    const value =
      more === 1 ? (bytes[at] ?? 0) + 13 : (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) + 269;
    at += more;
    return value;
  };
  while (at < bytes.length) {
    const head = bytes[at++] ?? 0;
    if (head === payloadMarker)
      return at === bytes.length ? null : { options, payload: bytes.subarray(at) };
    const delta = take(head >> 4);
    const length = delta === null ? null : take(head & 15);
    if (delta === null || length === null || at + length > bytes.length) return null;
    number += delta;
    options.push({ number, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return { options, payload: nothing };
}
