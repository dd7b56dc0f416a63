import { encode } from 'cborg';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  contentFormat,
  decodeContent,
  encodeText,
  integerIn,
  integersIn,
  textIn,
  writableFormats,
} from '../../shared/protocols/lwm2m-content.ts';
import { encodeTlv, integerTlv } from '../../shared/protocols/lwm2m-tlv.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown) => utf8(JSON.stringify(value));
const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const instance = ['5', '0'];

/** Object 5 as LwM2M JSON tells it. */
const entries = [
  { n: '1', sv: '' },
  { n: '3', v: 2 },
  { n: '5', v: 0 },
  { n: '8/0', v: 0 },
  { n: '8/1', v: 2 },
  { n: '9', v: 1 },
];

/** Package URI "", State 2, Update Result 0, Protocol Support 0 and 2, Delivery Method 1. */
const instances: readonly (readonly [string, number, Uint8Array])[] = [
  [
    'TLV',
    contentFormat.tlv,
    encodeTlv([
      { id: 1, value: utf8('') },
      { id: 3, value: integerTlv(2) },
      { id: 5, value: integerTlv(0) },
      {
        id: 8,
        value: new Uint8Array(0),
        entries: [
          { id: 0, value: integerTlv(0) },
          { id: 1, value: integerTlv(2) },
        ],
      },
      { id: 9, value: integerTlv(1) },
    ]),
  ],
  ['LwM2M JSON', contentFormat.json, json({ bn: '/5/0/', e: entries })],
  ['LwM2M JSON without a base name', contentFormat.oldJson, json({ e: entries })],
  [
    'SenML JSON',
    contentFormat.senmlJson,
    json([
      { bn: '/5/0/', n: '1', vs: '' },
      { n: '3', v: 2 },
      { n: '5', v: 0 },
      { n: '8/0', v: 0 },
      { bn: '/5/0/8/', n: '1', v: 2 },
      { bn: '/', n: '5/0/9', v: 1 },
      { n: '3/0/3', vs: 'of another object' },
    ]),
  ],
  [
    'SenML CBOR',
    contentFormat.senmlCbor,
    encode([
      new Map<number, unknown>([
        [-2, '/5/0/'],
        [0, '1'],
        [3, ''],
      ]),
      new Map<number, unknown>([
        [0, '3'],
        [2, 2],
      ]),
      new Map<number, unknown>([
        [0, '5'],
        [2, 0],
      ]),
      new Map<number, unknown>([
        [0, '8/0'],
        [2, 0],
      ]),
      new Map<number, unknown>([
        [0, '8/1'],
        [2, 2],
      ]),
      new Map<number, unknown>([
        [0, '9'],
        [2, 1],
      ]),
    ]),
  ],
  [
    'LwM2M CBOR',
    contentFormat.lwm2mCbor,
    // {5: {0: {1: "", 3: 2, 5: 0, 8: {0: 0, 1: 2}, 9: 1}}}
    hex('a105a100a501600302050008a2000001020901'),
  ],
];

describe('what a device answers', () => {
  test.each(instances)('%s is read as an instance', (_name, format, payload) => {
    const values = decodeContent(format, payload, instance);
    expect(textIn(values, '1')).toBe('');
    expect(integerIn(values, '3')).toBe(2);
    expect(integerIn(values, '5')).toBe(0);
    expect(values && integersIn(values, '8')).toEqual([0, 2]);
    expect(integerIn(values, '9')).toBe(1);
    expect(integerIn(values, '7')).toBeNull();
  });

  test.each([
    ['text', contentFormat.text, utf8('2')],
    ['no format', null, utf8('2\n')],
    ['TLV', contentFormat.tlv, encodeTlv([{ id: 3, value: integerTlv(2) }])],
    ['SenML JSON', contentFormat.senmlJson, json([{ bn: '/5/0/3', v: 2 }])],
    [
      'SenML CBOR',
      contentFormat.senmlCbor,
      encode([
        new Map<number, unknown>([
          [-2, '/5/0/3'],
          [2, 2],
        ]),
      ]),
    ],
    ['LwM2M JSON', contentFormat.json, json({ bn: '/5/0/3', e: [{ v: 2 }] })],
    ['LwM2M JSON without a name', contentFormat.json, json({ e: [{ n: '', v: 2 }] })],
    ['CBOR', contentFormat.cbor, encode(2)],
    ['LwM2M CBOR with a path as key', contentFormat.lwm2mCbor, encode(new Map([[[5, 0, 3], 2]]))],
  ])('%s is read as one resource', (_name, format, payload) => {
    expect(integerIn(decodeContent(format, payload, ['5', '0', '3']), '3')).toBe(2);
  });

  test('a version is read as text from whatever holds it', () => {
    const path = ['3', '0', '3'];
    expect(
      textIn(
        decodeContent(contentFormat.senmlJson, json([{ n: '/3/0/3', vs: '1.1.0' }]), path),
        '3',
      ),
    ).toBe('1.1.0');
    expect(textIn(decodeContent(contentFormat.opaque, utf8('1.1.0'), path), '3')).toBe('1.1.0');
    expect(textIn(decodeContent(contentFormat.cbor, encode('1.1.0'), path), '3')).toBe('1.1.0');
  });

  test.each([
    ['an unknown format', 50, json({ 3: 2 })],
    ['broken JSON', contentFormat.senmlJson, utf8('[{"n":')],
    ['JSON of another shape', contentFormat.senmlJson, json({ n: '3' })],
    ['nothing', contentFormat.json, utf8('null')],
    ['broken CBOR', contentFormat.senmlCbor, hex('81bf')],
    ['a list in place of a value', contentFormat.senmlJson, json([{ n: '/5/0/3', v: [1] }])],
    ['TLV whose length is a lie', contentFormat.tlv, hex('c80349')],
  ])('%s is like no content', (_name, format, payload) => {
    expect(decodeContent(format, payload, instance)).toBeNull();
  });

  test('any bytes in any format are read or turned down, and never thrown', () => {
    const formats = fc.constantFrom(...Object.values(contentFormat));
    fc.assert(
      fc.property(formats, fc.uint8Array({ maxLength: 200 }), (format, payload) => {
        const values = decodeContent(format, payload, instance);
        expect(values === null || values instanceof Map).toBe(true);
      }),
    );
  });
});

test.each([...writableFormats])('a text written in format %i is read back', (format) => {
  const path = ['5', '0', '1'];
  const payload = encodeText(format, path, 'coap://a/b');
  expect(textIn(decodeContent(format, payload, path), '1')).toBe('coap://a/b');
});
