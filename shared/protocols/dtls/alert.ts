/** Descriptions of alerts (RFC 5246 7.2) that are used here. */
export const alertDescription = {
  closeNotify: 0,
  handshakeFailure: 40,
  illegalParameter: 47,
  decodeError: 50,
  decryptError: 51,
  protocolVersion: 70,
  noRenegotiation: 100,
} as const;

const names: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  40: 'handshake_failure',
  47: 'illegal_parameter',
  50: 'decode_error',
  51: 'decrypt_error',
  70: 'protocol_version',
  80: 'internal_error',
  90: 'user_canceled',
  100: 'no_renegotiation',
  110: 'unsupported_extension',
  115: 'unknown_psk_identity',
};

const fatalLevel = 2;

/** An alert. */
export interface Alert {
  readonly isFatal: boolean;
  readonly description: number;
}

/** Null when it is none. */
export function readAlert(bytes: Uint8Array): Alert | null {
  const [level, description] = bytes;
  if (bytes.length !== 2 || level === undefined || description === undefined) return null;
  return { isFatal: level === fatalLevel, description };
}

/** close_notify and no_renegotiation are warnings, the others are fatal. */
export function encodeAlert(description: number): Uint8Array {
  const isWarning =
    description === alertDescription.closeNotify ||
    description === alertDescription.noRenegotiation;
  return Uint8Array.of(isWarning ? 1 : fatalLevel, description);
}

/** The name of an alert in the RFCs. */
export const alertName = (description: number): string =>
  names[description] ?? `alert ${description}`;
