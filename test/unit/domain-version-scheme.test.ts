import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInRange, isRange } from '../../shared/domain/version-range.ts';
import { compareVersions, followsScheme } from '../../shared/domain/version-scheme.ts';
import {
  type VersionScheme,
  versionSchemeSchema,
} from '../../shared/domain/version-scheme-schema.ts';

const quectel: VersionScheme = { pattern: 'EC20EQAR(\\d+)A(\\d+)V(\\d+)' };

/** Each list is in ascending order. */
const ascending: readonly (readonly [VersionScheme | undefined, readonly string[]])[] = [
  // Semantic Versioning 2.0.0, section 11.4.
  [
    'semver',
    [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.9.0',
      '1.10.0',
      '2.0.0',
    ],
  ],
  ['dotted', ['1', '1.0.1', '1.9', '1.10', '2.0.0.1', '2.0.0.99999999999999999999']],
  [quectel, ['EC20EQAR02A05V03', 'EC20EQAR02A05V12', 'EC20EQAR02A06V01', 'EC20EQAR10A01V01']],
  [{ pattern: 'v(\\d+)([a-z]?)' }, ['v1', 'v1a', 'v1b', 'v2']],
  [undefined, ['1.9', '1.10', 'BG95M3LAR02A03', 'BG95M3LAR02A04']],
];

describe('order of versions', () => {
  it.each(ascending)('%j', (scheme, versions) => {
    for (const [index, one] of versions.entries()) {
      for (const [other, version] of versions.entries()) {
        const order = compareVersions(scheme, one, version);
        expect(Math.sign(order ?? Number.NaN), `${one} against ${version}`).toBe(
          Math.sign(index - other),
        );
      }
    }
  });

  it('counts missing numbers of a dotted version as zero', () => {
    expect(compareVersions('dotted', '1.2', 'v1.2.0.0')).toBe(0);
  });

  it('is not told for a version that is written otherwise', () => {
    expect(compareVersions('semver', '1.2', '1.2.0')).toBeNull();
    expect(compareVersions(quectel, 'EC20EQAR02A05V03', 'EC25EFAR06A01M4G')).toBeNull();
    expect(compareVersions('dotted', '1.2', '1.2-rc1')).toBeNull();
    expect(followsScheme('semver', '01.2.3')).toBe(false);
    expect(followsScheme(quectel, 'xEC20EQAR02A05V03x')).toBe(false);
    expect(followsScheme(undefined, 'anything')).toBe(true);
  });

  it('turns around with its arguments for any two versions', () => {
    const version = fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/);
    const schemes = fc.constantFrom<VersionScheme | undefined>('semver', 'dotted', quectel, {
      pattern: '([a-z]*)(\\d*).*',
    });
    fc.assert(
      fc.property(schemes, version, version, (scheme, one, other) => {
        const order = compareVersions(scheme, one, other);
        const back = compareVersions(scheme, other, one);
        expect(back === null ? null : Math.sign(back)).toBe(
          order === null ? null : -Math.sign(order) + 0,
        );
      }),
    );
  });
});

it.each([
  '',
  '(',
  'EC20',
  '(?:a)',
  '(a+)+b',
  '(a*){9}',
  '(\\d*)(\\d*)(\\d*)(\\d*)(\\d*)(\\d*)(\\d*)x',
])('refuses the pattern %j, which orders nothing or never ends', (pattern) => {
  expect(versionSchemeSchema.safeParse({ pattern }).success).toBe(false);
});

it('takes escaped and listed repeats for what they are', () => {
  const pattern = 'V\\+(\\d+)\\)[+*{]+(\\d+)';
  expect(versionSchemeSchema.safeParse({ pattern }).success).toBe(true);
});

describe('ranges', () => {
  it.each([
    ['>=1.2.0 <2.0.0', '1.10.0', true],
    ['>=1.2.0 <2.0.0', '2.0.0', false],
    ['1.2.0 || >3.0.0', '1.2.0', true],
    ['1.2.0 || >3.0.0', '3.0.0', false],
    ['=1.2.0', '1.2.1', false],
    ['<=1.2.0', '1.2.0', true],
    ['*', '0.0.1', true],
    ['>=1.2.0', 'EC20', null],
    ['>=1.2.0 <EC20', '1.0.0', false],
    ['* || >=1.2.0', 'EC20', true],
  ])('%s and %s: %j', (range, version, expected) => {
    expect(isRange(range)).toBe(true);
    expect(isInRange('semver', version, range)).toBe(expected);
  });

  it.each(['', '>=', '> 1.0', '1.0 ||', '~1.0', '1.0, 2.0'])('%j is none', (range) => {
    expect(isRange(range)).toBe(false);
  });
});
