/** A part of an artifact: first and last byte, both inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a `Range` header (RFC 9110, 14.2): one range, open-ended and suffix forms. Null means that
 * the whole is answered: no header, another unit, several ranges, or a header that makes no sense.
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | null {
  const match = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '');
  if (!match) return null;
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return null;
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return null;
  if (start >= sizeBytes) return 'unsatisfiable';
  return { start, end: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) };
}

/** Whether an `If-None-Match` or `If-Match` list names the strong entity tag (RFC 9110, 13.1). */
export function namesEtag(header: string, etag: string, weakCounts: boolean): boolean {
  if (header.trim() === '*') return true;
  return header
    .split(',')
    .map((entry) => entry.trim())
    .some((entry) => entry === etag || (weakCounts && entry === `W/${etag}`));
}
