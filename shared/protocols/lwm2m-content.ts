import { decode, encode } from 'cborg';
import { decodeTlv, encodeTlv, tlvInteger } from './lwm2m-tlv.ts';

/** Content formats of LwM2M TS 1.0.2, 7.4 (TLV and JSON, also by their older numbers), of TS 1.1.1 and 1.2.1. */
export const contentFormat = {
  text: 0,
  opaque: 42,
  cbor: 60,
  senmlJson: 110,
  senmlCbor: 112,
  oldTlv: 1542,
  oldJson: 1543,
  tlv: 11_542,
  json: 11_543,
  lwm2mCbor: 11_544,
} as const;

/** A value as it came: TLV and text do not tell its type. */
export type ResourceValue = string | number | boolean | Uint8Array;

/** Resources by id, each with one value or several. */
export type ResourceValues = ReadonlyMap<string, readonly ResourceValue[]>;

const maxValues = 1000;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * The resources of one instance, or one of them, as a device answered a read of `path`
 * (`['5', '0']` or `['5', '0', '3']`); null when it is in another format or broken.
 * @param format the Content-Format of the answer; null counts as text
 */
export function decodeContent(
  format: number | null,
  payload: Uint8Array,
  path: readonly string[],
): ResourceValues | null {
  try {
    switch (format) {
      case null:
      case contentFormat.text:
        return single(path, decoder.decode(payload));
      case contentFormat.opaque:
        return single(path, payload);
      case contentFormat.cbor:
        return single(path, scalar(decode(payload, cborOptions)));
      case contentFormat.tlv:
      case contentFormat.oldTlv:
        return fromTlv(payload);
      case contentFormat.json:
      case contentFormat.oldJson:
        return fromJson(JSON.parse(decoder.decode(payload)), path);
      case contentFormat.senmlJson:
        return fromSenml(JSON.parse(decoder.decode(payload)), jsonLabels, path);
      case contentFormat.senmlCbor:
        return fromSenml(decode(payload, cborOptions), cborLabels, path);
      case contentFormat.lwm2mCbor:
        return fromLwm2mCbor(decode(payload, cborOptions), path);
      default:
        return null;
    }
  } catch {
    // What a device sends is not its maker's promise: broken content is like none.
    return null;
  }
}

/** The first value of a resource as a whole number, or null. */
export function integerIn(values: ResourceValues | null, resource: string): number | null {
  const [first] = values?.get(resource) ?? [];
  return first === undefined ? null : toInteger(first);
}

/** All values of a resource as whole numbers; what is none is left out. */
export function integersIn(values: ResourceValues, resource: string): number[] {
  return (values.get(resource) ?? []).map(toInteger).filter((value) => value !== null);
}

/** The first value of a resource as text, or null. */
export function textIn(values: ResourceValues | null, resource: string): string | null {
  const [first] = values?.get(resource) ?? [];
  if (first === undefined) return null;
  return first instanceof Uint8Array ? decoder.decode(first) : String(first);
}

/** Formats in which a text can be written, the simplest first. */
export const writableFormats = [
  contentFormat.text,
  contentFormat.tlv,
  contentFormat.senmlCbor,
  contentFormat.senmlJson,
] as const;

/** A text as the new value of the resource at `path`, in one of the formats that can be written. */
export function encodeText(
  format: (typeof writableFormats)[number],
  path: readonly string[],
  text: string,
): Uint8Array {
  const name = `/${path.join('/')}`;
  switch (format) {
    case contentFormat.text:
      return encoder.encode(text);
    case contentFormat.tlv:
      return encodeTlv([{ id: Number(path.at(-1)), value: encoder.encode(text) }]);
    case contentFormat.senmlCbor:
      return encode([
        new Map([
          [cborLabels.name, name],
          [cborLabels.text, text],
        ]),
      ]);
    case contentFormat.senmlJson:
      return encoder.encode(JSON.stringify([{ n: name, vs: text }]));
  }
}

function toInteger(value: ResourceValue): number | null {
  if (value instanceof Uint8Array) return tlvInteger(value);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null;
  const text = typeof value === 'string' ? value.trim() : '';
  return /^-?\d{1,10}$/.test(text) ? Number(text) : null;
}

const cborOptions = { useMaps: true, allowUndefined: false } as const;

/** Labels of SenML (RFC 8428 4.3 and 6), those of JSON being names; `data` is base64url there. */
const jsonLabels = { base: 'bn', name: 'n', number: 'v', text: 'vs', flag: 'vb', data: 'vd' };
const cborLabels = { base: -2, name: 0, number: 2, text: 3, flag: 4, data: 8 };

type Labels = Readonly<Record<keyof typeof jsonLabels, string | number>>;

function fromSenml(pack: unknown, labels: Labels, path: readonly string[]): ResourceValues | null {
  if (!Array.isArray(pack)) return null;
  const values = new Values(path);
  let base = '';
  for (const item of pack as unknown[]) {
    const of = (label: string | number): unknown =>
      item instanceof Map ? item.get(label) : (item as Record<string, unknown>)[label];
    base = textOr(of(labels.base), base);
    const value = [labels.number, labels.text, labels.flag, labels.data]
      .map(of)
      .find((one) => one !== undefined && one !== null);
    if (value !== undefined) values.add(`${base}${textOr(of(labels.name), '')}`, scalar(value));
  }
  return values.found;
}

/** `{"bn":"/5/0/","e":[{"n":"3","v":0}]}` (LwM2M TS 1.0.2, 6.4.4). */
function fromJson(whole: unknown, path: readonly string[]): ResourceValues | null {
  const { bn, e } = whole as { bn?: unknown; e?: unknown };
  if (!Array.isArray(e)) return null;
  const values = new Values(path);
  for (const { n, v, sv, bv, ov } of e as Record<string, unknown>[]) {
    const value = v ?? sv ?? bv ?? ov;
    if (value !== undefined) values.add(`${textOr(bn, '')}${textOr(n, '')}`, scalar(value));
  }
  return values.found;
}

/** Nested maps by id; a key may be a path of several (LwM2M TS 1.2.1, 7.4.6). */
function fromLwm2mCbor(whole: unknown, path: readonly string[]): ResourceValues | null {
  if (!(whole instanceof Map)) return null;
  const values = new Values(path);
  const walk = (node: Map<unknown, unknown>, above: string): void => {
    for (const [key, value] of node) {
      const at = `${above}/${Array.isArray(key) ? key.join('/') : String(key)}`;
      if (value instanceof Map) walk(value, at);
      else values.add(at, scalar(value));
    }
  };
  walk(whole, '');
  return values.found;
}

function fromTlv(payload: Uint8Array): ResourceValues | null {
  const resources = decodeTlv(payload);
  if (resources === null) return null;
  return new Map(
    resources.map(({ id, value, entries }) => [
      String(id),
      entries ? entries.map((entry) => entry.value) : [value],
    ]),
  );
}

/** Takes values by their full names and keeps those of the instance that was read. */
class Values {
  readonly found = new Map<string, ResourceValue[]>();
  readonly #instance: readonly string[];
  readonly #path: readonly string[];
  #count = 0;

  constructor(path: readonly string[]) {
    this.#path = path;
    this.#instance = path.slice(0, 2);
  }

  /** Names that do not begin at the root are below what was read (LwM2M TS 1.0.2, 6.4.4). */
  add(name: string, value: ResourceValue): void {
    if (++this.#count > maxValues) throw new RangeError('too many values');
    const below = name.split('/').filter((segment) => segment !== '');
    const full = name.startsWith('/') ? below : [...this.#path, ...below];
    if (this.#instance.some((segment, index) => full[index] !== segment)) return;
    const resource = full[2];
    if (resource === undefined) return;
    const known = this.found.get(resource);
    if (known) known.push(value);
    else this.found.set(resource, [value]);
  }
}

function single(path: readonly string[], value: ResourceValue): ResourceValues | null {
  const resource = path[2];
  return resource === undefined ? null : new Map([[resource, [value]]]);
}

function scalar(value: unknown): ResourceValue {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  throw new TypeError('no value of a resource');
}

const textOr = (value: unknown, fallback: string): string =>
  typeof value === 'string' ? value : fallback;
