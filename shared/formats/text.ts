/**
 * Decodes UTF-8 without any platform API; null when it is not UTF-8. `mayBeCut` allows a
 * character that the end of the window cut.
 */
export function decodeUtf8(bytes: Uint8Array, mayBeCut = false): string | null {
  let escaped = '';
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  for (let cut = 0; cut <= (mayBeCut ? 3 : 0); cut += 1) {
    try {
      return decodeURIComponent(escaped.slice(0, escaped.length - 3 * cut));
    } catch {
      // Not UTF-8 yet: the next round leaves one more byte away.
    }
  }
  return null;
}

/** A name field: UTF-8 when it is, else one character a byte. */
export function decodeName(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}
