import { generate, parse } from 'coap-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CoapMessage,
  codeText,
  decodeCoap,
  encodeCoap,
} from '../../shared/protocols/coap-message.ts';
import { blockOption, readBlock } from '../../shared/protocols/coap-options.ts';
import { readDeviceLinks } from '../../shared/protocols/link-format.ts';
import {
  decodeTlv,
  encodeTlv,
  integerTlv,
  type TlvValue,
  tlvInteger,
} from '../../shared/protocols/lwm2m-tlv.ts';

const bytes = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength });

const messages: fc.Arbitrary<CoapMessage> = fc.record({
  type: fc.constantFrom('con', 'non', 'ack', 'rst'),
  code: fc.integer({ min: 1, max: 0xa5 }),
  messageId: fc.integer({ min: 0, max: 0xffff }),
  token: bytes(8),
  options: fc
    .array(fc.record({ number: fc.integer({ min: 0, max: 65_000 }), value: bytes(300) }), {
      maxLength: 6,
    })
    .map((options) => options.toSorted((a, b) => a.number - b.number)),
  payload: bytes(300),
});

describe('CoAP messages', () => {
  test('what is written is read again', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decodeCoap(encodeCoap(message))).toEqual(message);
      }),
    );
  });

  test('an independent codec reads ours, and we read its', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const theirs = parse(Buffer.from(encodeCoap(message)));
        expect(theirs).toMatchObject({
          code: codeText(message.code),
          confirmable: message.type === 'con',
          ack: message.type === 'ack',
          reset: message.type === 'rst',
          messageId: message.messageId,
        });
        expect(new Uint8Array(theirs.token)).toEqual(message.token);
        expect(new Uint8Array(theirs.payload)).toEqual(message.payload);
        expect(theirs.options.map(({ value }) => new Uint8Array(value))).toEqual(
          message.options.map(({ value }) => value),
        );
        const again = generate(theirs, 65_536);
        expect(decodeCoap(new Uint8Array(again))).toEqual(message);
      }),
    );
  });

  test.each([
    ['no byte', ''],
    ['another version', '80010001'],
    ['a token of 9 bytes', '490100010102030405060708 09'],
    ['a token that is cut', '44010001 0102'],
    ['an empty message with content', '40000001ff'],
    ['a payload marker without payload', '40010001ff'],
    ['a reserved option length', '400100011f'],
    ['a reserved option number', '40010001f1'],
    ['an option longer than the message', '4001000165 0102'],
    ['an extended length that is cut', '400100011d'],
  ])('%s is no message', (_name, hex) => {
    expect(decodeCoap(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toBeNull();
  });

  test('anything may come: it is read or refused, never thrown at', () => {
    fc.assert(
      fc.property(bytes(64), (noise) => {
        const message = decodeCoap(noise);
        if (message) expect(decodeCoap(encodeCoap(message))).toEqual(message);
      }),
      { numRuns: 2000 },
    );
  });

  test('block options hold number, more and size', () => {
    for (const sizeBytes of [16, 64, 1024])
      for (const number of [0, 1, 15, 16, 4096, 0xfffff])
        for (const more of [false, true]) {
          const block = { number, more, sizeBytes };
          expect(readBlock([blockOption(23, block)], 23)).toEqual(block);
        }
    expect(readBlock([{ number: 23, value: Uint8Array.of(0x07) }], 23)).toBeNull();
    expect(readBlock([], 23)).toBeNull();
  });
});

describe('LwM2M TLV', () => {
  test('the example of the specification: a device object', () => {
    const hex =
      'c800144f70656e204d6f62696c6520416c6c69616e6365 c801164c69676874776569676874204d324d20436c69656e74 86064100014101 05 c10964';
    const values = decodeTlv(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    expect(values?.map(({ id }) => id)).toEqual([0, 1, 6, 9]);
    expect(Buffer.from(values?.[0]?.value ?? []).toString()).toBe('Open Mobile Alliance');
    expect(values?.[2]?.entries?.map(({ id, value }) => [id, tlvInteger(value)])).toEqual([
      [0, 1],
      [1, 5],
    ]);
    expect(tlvInteger(values?.[3]?.value ?? new Uint8Array(0))).toBe(100);
  });

  test('what is written is read again, also inside an object instance', () => {
    const value = fc.record({ id: fc.integer({ min: 0, max: 65_535 }), value: bytes(300) });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (values: TlvValue[]) => {
        expect(decodeTlv(encodeTlv(values))).toEqual(values);
      }),
    );
    expect(decodeTlv(new Uint8Array(Buffer.from('080003c1032a', 'hex')))).toEqual([
      { id: 3, value: Uint8Array.of(42) },
    ]);
  });

  test.each(['c8', 'c80114', 'c1', 'e1ff', 'd8000000', '860641'])('%s is cut', (hex) => {
    expect(decodeTlv(Buffer.from(hex, 'hex'))).toBeNull();
  });

  test('numbers keep their sign', () => {
    for (const value of [0, 1, -1, 127, 128, -128, -129, 32_767, 40_000, -40_000])
      expect(tlvInteger(integerTlv(value))).toBe(value);
  });
});

describe('the links of a registration', () => {
  test('objects, instances, versions, and an alternate root', () => {
    expect(
      readDeviceLinks('</>;rt="oma.lwm2m";ct=110,</1/0>,</5>;ver=1.1,</5/0>,</33629>').paths,
    ).toEqual([['1', '0'], ['5'], ['5', '0'], ['33629']]);
    expect(readDeviceLinks('</lwm2m>;rt="oma.lwm2m",</lwm2m/5/0>,</lwm2m/3/0>')).toEqual({
      root: ['lwm2m'],
      paths: [
        ['5', '0'],
        ['3', '0'],
      ],
    });
  });

  test('attributes with commas in quotes, and noise, lose no link', () => {
    expect(readDeviceLinks('</3/0>;title="a,b</9/9>",</5/0>,rubbish,<').paths).toEqual([
      ['3', '0'],
      ['5', '0'],
    ]);
    expect(readDeviceLinks('').paths).toEqual([]);
    expect(readDeviceLinks('</1/0>,'.repeat(100_000)).paths.length).toBeLessThanOrEqual(2000);
  });
});
