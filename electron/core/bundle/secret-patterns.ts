import { readDerKey } from '../../../shared/formats/der-key.ts';
import { knownTestKey } from './known-test-keys.ts';
import type { Matcher, PatternMatch } from './pattern.ts';

/** Four bytes that every secret of a kind contains, and the closer look that they deserve. */
export const secretAnchors: readonly (readonly [fourBytes: string, matcher: Matcher])[] = [
  ['PRIV', pemKey],
  ['\x02\x01\x00\x30', derKey],
  ['\x02\x01\x01\x30', derKey],
  ['\x02\x01\x00\x02', derKey],
  ['\x02\x01\x01\x04', derKey],
  ['\x0d\x01\x05\x0d', encryptedDerKey],
  ['\x0d\x01\x0c\x01', encryptedDerKey],
  ['\x0d\x01\x05\x03', encryptedDerKey],
  ...['AKIA', 'ASIA'].map(
    (text) => [text, token('secret.cloud-key', /^A[KS]IA[A-Z2-7]{16}(?![\w/+])/)] as const,
  ),
  ['AIza', token('secret.cloud-key', /^AIza[\w-]{35}(?![\w-])/)],
  ['GOCS', token('secret.cloud-key', /^GOCSPX-[\w-]{28}(?![\w-])/)],
  ['Acco', token('secret.cloud-key', /^AccountKey=[A-Za-z0-9+/]{86}==/, 11)],
  ['Shar', token('secret.cloud-key', /^SharedAccessKey=[A-Za-z0-9+/]{43}=/, 16)],
  ['ret_', secretAccessKey],
  ['RET_', secretAccessKey],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map(
    (text) => [text, token('secret.token', /^gh[pousr]_[A-Za-z0-9]{36}(?!\w)/)] as const,
  ),
  ['gith', token('secret.token', /^github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?!\w)/, 11)],
  ['glpa', token('secret.token', /^glpat-[\w-]{20}/, 6)],
  ['npm_', token('secret.token', /^npm_[A-Za-z0-9]{36}(?!\w)/)],
  ...['xoxb', 'xoxp', 'xoxa', 'xoxr', 'xoxs'].map(
    (text) => [text, token('secret.token', /^xox[baprs]-\d{6,}-[A-Za-z0-9-]{16,}/, 5)] as const,
  ),
  ['xapp', token('secret.token', /^xapp-\d-[A-Z0-9]{8,}-\d+-[a-f0-9]{32,}/, 5)],
  ...Array.from(
    'abcdefghijklmnopqrstuvwxyz0123456789',
    (last) => [`${last}://`, urlCredentials] as const,
  ),
  ['psk=', wifiOption],
  ['ase=', wifiOption],
  ...['wifi', 'WIFI', 'WiFi', 'Wifi', 'wlan', 'WLAN'].map((text) => [text, wifiName] as const),
  ['root', rootHash],
];

const latin1 = (bytes: Buffer, from: number, to: number): string =>
  bytes.toString('latin1', Math.max(0, from), Math.min(bytes.length, to));

const isWordByte = (byte: number | undefined): boolean =>
  byte !== undefined && /\w/.test(String.fromCharCode(byte));

function token(rule: 'secret.cloud-key' | 'secret.token', pattern: RegExp, shown = 4): Matcher {
  return (bytes, at, end) => {
    if (isWordByte(bytes[at - 1])) return null;
    const text = pattern.exec(latin1(bytes, at, Math.min(end, at + 200)))?.[0];
    if (text === undefined || new Set(text.slice(shown)).size < 8) return null;
    const found = `${text.slice(0, shown)}… (${text.length - shown} more characters)`;
    return { rule, found, start: at, end: at + text.length };
  };
}

/** `aws_secret_access_key = …`, as the AWS credentials file and the environment write it. */
function secretAccessKey(bytes: Buffer, at: number, end: number): PatternMatch | null {
  const start = at - 7;
  if (start < 0) return null;
  const text = latin1(bytes, start, Math.min(end, at + 80));
  const match = /^(aws_secret_access_key["']?\s*[:=]\s*["']?)([A-Za-z0-9/+]{40})(?![\w/+=])/i.exec(
    text,
  );
  if (match === null || new Set(match[2]).size < 12) return null;
  const found = 'aws_secret_access_key=… (40 characters)';
  return { rule: 'secret.cloud-key', found, start, end: start + match[0].length };
}

const placeholder =
  /^(user(name)?|pass(word|wd|phrase)?|pw|pwd|secret|token|key|login|name|admin|example|changeme|x+|\*+|\.+)$|[%<>{}$[\]()]|your|example/i;

function urlCredentials(bytes: Buffer, at: number, end: number): PatternMatch | null {
  const from = at + 4;
  const limit = Math.min(end, from + 256);
  let sign = -1;
  for (let index = from; index < limit; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte === 0x40) {
      sign = index;
      break;
    }
    if (
      byte <= 0x20 ||
      byte === 0x22 ||
      byte >= 0x7f ||
      byte === 0x2f ||
      byte === 0x3f ||
      byte === 0x23
    )
      break;
  }
  if (sign < 0) return null;
  const [user = '', ...rest] = latin1(bytes, from, sign).split(':');
  const password = rest.join(':');
  if (rest.length === 0 || password.length < 3) return null;
  if (placeholder.test(password) || /[%<>{}$]/.test(user)) return null;
  const host = /^[\w.-]+/.exec(latin1(bytes, sign + 1, Math.min(end, sign + 65)))?.[0];
  const scheme = /[a-z][a-z0-9+.-]*$/i.exec(latin1(bytes, at - 16, at + 1))?.[0];
  if (host === undefined || scheme === undefined || /^(host|server|proxy)/i.test(host)) return null;
  const found = `${scheme}://…:…@${host}`;
  const start = at + 1 - scheme.length;
  return { rule: 'secret.url-credentials', found, start, end: sign + 1 + host.length };
}

/** `psk=` of wpa_supplicant.conf and `wpa_passphrase=` of hostapd.conf. */
function wifiOption(bytes: Buffer, at: number, end: number): PatternMatch | null {
  const before = latin1(bytes, at - 16, at);
  const text = latin1(bytes, at, Math.min(end, at + 80));
  const value = text.startsWith('psk=')
    ? /(^|\W)$/.test(before) && /^psk=("[\x20-\x7e]{8,63}"|[0-9a-fA-F]{64})\s/.exec(`${text} `)
    : before.endsWith('wpa_passphr') && /^ase=([\x21-\x7e]{8,63})\s/.exec(`${text} `);
  const secret = value ? (value[1] ?? '') : '';
  if (secret === '' || placeholder.test(secret.replaceAll('"', ''))) return null;
  const name = text.startsWith('psk=') ? 'psk' : 'wpa_passphrase';
  const found = `${name}=… (${secret.length} characters)`;
  return { rule: 'secret.wifi', found, start: at, end: at + 4 + secret.length };
}

/** A quoted password next to a name such as WIFI_PASSWORD: an assignment, a define or JSON. */
function wifiName(bytes: Buffer, at: number, end: number): PatternMatch | null {
  const after = (bytes[at + 4] ?? 0) | 0x20;
  // "_", "-", "p" or "k": anything else cannot begin one of the names.
  if (after !== 0x7f && after !== 0x2d && after !== 0x70 && after !== 0x6b) return null;
  const text = latin1(bytes, at, Math.min(end, at + 120));
  const match =
    /^(.{4}[_-]?(?:password|passwd|passphrase|pass|psk|key)(?![a-z]))["']?(?:\s*(?::|=|,)\s*|[ \t]+)["']([\x20-\x7e]{8,63}?)["']/i.exec(
      text,
    );
  const secret = match?.[2] ?? '';
  if (match === null || placeholder.test(secret) || / /.test(secret)) return null;
  const found = `${match[1]}=… (${secret.length} characters)`;
  return { rule: 'secret.wifi', found, start: at, end: at + match[0].length };
}

/** The hash of root's password in a passwd or shadow file (crypt(5)). */
function rootHash(bytes: Buffer, at: number, end: number): PatternMatch | null {
  if (bytes[at + 4] !== 0x3a || isWordByte(bytes[at - 1])) return null;
  const text = latin1(bytes, at, Math.min(end, at + 200));
  const match =
    /^root:(\$(?:1|5|6|7|y|gy|2[abxy]?)\$)[./A-Za-z0-9$=,]{20,}:/.exec(text) ??
    /^root:()[./A-Za-z0-9]{13}:\d*:\d*:/.exec(text);
  if (match === null) return null;
  const found = `root:${match[1] || 'DES'}…`;
  return { rule: 'secret.root-hash', found, start: at, end: at + match[0].length };
}

/** `at` is the version; the header of the sequence takes two to four bytes before it. */
function derKey(bytes: Buffer, at: number, end: number): PatternMatch | null {
  return derKeyAt(bytes, [at - 4, at - 3, at - 2], end);
}

/** `at` lies at the fifth byte of the identifier of the encryption, behind two or three headers. */
function encryptedDerKey(bytes: Buffer, at: number, end: number): PatternMatch | null {
  const algorithm = at - 7;
  return derKeyAt(bytes, [algorithm - 6, algorithm - 5, algorithm - 4], end);
}

function derKeyAt(bytes: Buffer, starts: readonly number[], limit: number): PatternMatch | null {
  for (const start of starts) {
    if (start < 0 || bytes[start] !== 0x30) continue;
    const key = readDerKey(bytes.subarray(0, limit), start);
    if (key === null) continue;
    const end = start + key.sizeBytes;
    return keyMatch(
      `${key.kind} (${key.sizeBytes} bytes of DER)`,
      bytes.subarray(start, end),
      start,
      end,
    );
  }
  return null;
}

const pemBegin = /-----BEGIN ((?:[A-Z0-9]+ ){0,3})$/;
const longestPemBytes = 16 * 1024;

/** A PEM private key (RFC 7468) with a body; the bare header, as libraries hold it, is none. */
function pemKey(bytes: Buffer, at: number, end: number): PatternMatch | null {
  const from = at + 16;
  if (latin1(bytes, at, Math.min(end, from)) !== 'PRIVATE KEY-----') return null;
  const begin = pemBegin.exec(latin1(bytes, at - 48, at));
  if (begin === null) return null;
  const mark = bytes.indexOf('-----', from, 'latin1');
  const limit = Math.min(end, from + longestPemBytes);
  const hasEnd = mark >= 0 && mark < limit;
  const stop = hasEnd ? mark : limit;
  // Line ends may be escaped, and the lines string literals of a script.
  const lines = latin1(bytes, from, stop)
    .split(/\\r|\\n|[\r\n"']/)
    .map((line) => line.replace(/[\s\\]+/g, ''));
  const isEncrypted = lines.some((line) => line === 'Proc-Type:4,ENCRYPTED');
  const text = lines.filter((line) => !/^[A-Za-z-]{1,40}:|^[+,]?$/.test(line)).join('');
  const base64 = /^[A-Za-z0-9+/]*/.exec(text)?.[0] ?? '';
  const key = Buffer.from(base64, 'base64');
  const kind = isEncrypted ? encryptedPem(key, hasEnd) : pemKind(key);
  if (kind === null) return null;
  const found = `-----BEGIN ${begin[1]}PRIVATE KEY----- … (${kind})`;
  return keyMatch(found, key, at - begin[0].length, stop);
}

/** A key that everybody has opens nothing, unless someone uses it. */
function keyMatch(what: string, key: Buffer, start: number, end: number): PatternMatch {
  const origin = knownTestKey(key);
  if (origin === null) return { rule: 'secret.private-key', found: what, start, end };
  return { rule: 'secret.test-key', found: `${what}, published: ${origin}`, start, end };
}

function encryptedPem(key: Buffer, hasEnd: boolean): string | null {
  return hasEnd && key.length >= 48 ? 'encrypted' : null;
}

function pemKind(body: Buffer): string | null {
  if (body.subarray(0, 15).toString('latin1') === 'openssh-key-v1\0') {
    return body.length >= 100 ? 'OpenSSH' : null;
  }
  const key = readDerKey(body, 0);
  if (key !== null) return key.kind;
  return isDsa(body) ? 'DSA' : null;
}

/** The traditional DSA form: version 0 and five integers; OpenSSL has no document for it. */
function isDsa(body: Buffer): boolean {
  return (
    body.length >= 300 &&
    body[0] === 0x30 &&
    body.subarray(4, 9).toString('hex').startsWith('02010002')
  );
}
