import { describe, expect, it } from 'vitest';
import { checkBuildDate } from '../../shared/domain/identity/date-rules.ts';
import { checkLineage } from '../../shared/domain/identity/delta-rules.ts';
import { bundleRules } from '../../shared/messages/bundle-rules.ts';
import { component, product, released, rulesOf, told } from '../support/identity.ts';
import { deltaPackage, hash } from '../support/records.ts';

describe('a description that says nothing', () => {
  it('asks for nothing, whatever the image says', () => {
    const identity = {
      version: '9.9.9+1',
      hardware: [{ field: 'compatible' as const, value: 'other,board' }],
      signed: false,
      securityCounter: 0,
      dependencies: [{ imageNumber: 1, minVersion: '9.0.0+0' }],
    };
    const certificate = { subject: 'CA', notAfter: '2001-01-01T00:00:00.000Z', offset: 1 };
    const certificates = [{ ...certificate, member: undefined }];
    expect(rulesOf([{ format: 'fit', identity, certificates }])).toEqual([]);
    const history = [released('2.0.0', { ...identity, version: '2.0.0+0' })];
    expect(rulesOf([{ format: 'fit', identity, certificates }], { history })).toEqual([]);
  });
});

describe('C1: hardware', () => {
  const board = { hardwareIds: ['maker,pump', '5b6a1c9e-0000-4000-8000-00000000c1a5'] };
  const image = (format: string, ...values: string[]) => ({
    format,
    identity: {
      hardware: values.map((text) => {
        const [field = '', value = ''] = text.split('=');
        return { field: field as 'product', value };
      }),
    },
  });
  it.each([
    ['fit', ['compatible=maker,pump', 'compatible=st,stm32'], 'identity.hardware-match'],
    ['fit', ['compatible=maker,valve'], 'identity.hardware-differs'],
    ['fit', [], 'identity.hardware-absent'],
    ['pac', ['product=maker,pump'], 'identity.hardware-match'],
    ['pac', ['product=UIS8850'], 'identity.hardware-differs'],
    ['mcuboot', ['class=5b6a1c9e00004000800000000000c1a5'], 'identity.hardware-match'],
    ['mcuboot', ['class=ffffffffffffffffffffffffffffffff'], 'identity.hardware-differs'],
    ['mcuboot', ['vendor=5b6a1c9e00004000800000000000c1a5'], 'identity.hardware-match'],
    ['mcuboot', [], 'identity.hardware-absent'],
  ])('%s with %j: %s', (format, fields, rule) => {
    expect(rulesOf([image(format, ...fields)], { own: board })).toEqual([rule]);
  });

  it('takes the vendor for nothing where a class is described too', () => {
    const vendor = 'aaaaaaaa-0000-4000-8000-00000000c1a5';
    const own = { hardwareIds: [...board.hardwareIds, vendor] };
    const plain = vendor.replaceAll('-', '');
    const other = 'class=00000000000000000000000000000001';
    expect(rulesOf([image('mcuboot', `vendor=${plain}`, other)], { own })).toEqual([
      'identity.hardware-differs',
    ]);
    expect(
      rulesOf([image('mcuboot', `vendor=${plain}`)], { own: { hardwareIds: [vendor] } }),
    ).toEqual(['identity.hardware-match']);
  });

  it('says nothing about formats without such a field, or ids of another kind', () => {
    expect(rulesOf([image('cortex-m')], { own: board })).toEqual([]);
    expect(rulesOf([image('mcuboot')], { own: { hardwareIds: ['maker,pump'] } })).toEqual([]);
    const [uuid = ''] = board.hardwareIds.slice(1);
    expect(rulesOf([image('fit', 'compatible=a,b')], { own: { hardwareIds: [uuid] } })).toEqual([]);
  });
});

describe('C1: texts of the product', () => {
  const own = { productTexts: ['Pump 7'] };
  const foreignTexts = [{ text: 'Valve 3', owner: 'VALVE-3 MCU' }];
  it('are found in any file of the package', () => {
    expect(told([{ texts: { 'Pump 7': null } }, { texts: { 'Pump 7': 77 } }], { own })).toEqual([
      {
        rule: 'identity.product-text',
        detail: '"Pump 7" is in the content',
        evidence: { offset: 77, expected: 'Pump 7' },
      },
    ]);
  });

  it('of another product name that product', () => {
    const files = [{ texts: { 'Pump 7': null, 'Valve 3': 9 } }];
    const [first, ...others] = told(files, { own, foreignTexts });
    expect(first).toEqual({
      rule: 'identity.other-product',
      detail: '"Valve 3" stands for VALVE-3 MCU',
      evidence: { offset: 9, expected: 'Pump 7', found: 'Valve 3' },
    });
    expect(others).toEqual([]);
    expect(rulesOf([{ texts: { 'Pump 7': 3, 'Valve 3': 9 } }], { own, foreignTexts })).toEqual([
      'identity.product-text',
    ]);
  });

  it('that are missing block, and are unknown where nothing can be searched', () => {
    const texts = { 'Pump 7': null, 'Valve 3': null };
    expect(rulesOf([{ texts }], { own, foreignTexts })).toEqual(['identity.product-text-missing']);
    expect(rulesOf([{ texts: {} }], { own })).toEqual(['identity.product-text-unknown']);
    expect(rulesOf([{ texts: { 'Pump 7': null } }, { texts: {} }], { own })).toEqual([
      'identity.product-text-unknown',
    ]);
  });
});

describe('C2: versions are immutable', () => {
  const history = [
    released('1.0.0', undefined, { sha256: hash('a') }),
    released('1.1.0', undefined, { sha256: hash('b') }),
  ];
  it('other bytes under a released version block', () => {
    expect(told([{ sha256: hash('c') }], { history })).toMatchObject([
      {
        rule: 'identity.version-immutable',
        evidence: { expected: hash('b'), found: hash('c') },
      },
    ]);
    expect(bundleRules['identity.version-immutable'].waivable).toBe(false);
  });

  it('the same bytes under the same version are in order, also a part of them', () => {
    expect(rulesOf([{ sha256: hash('b') }], { history })).toEqual([]);
    const [whole] = history.slice(1);
    const two = {
      ...whole,
      files: [...(whole?.files ?? []), { ...whole?.files[0], sha256: hash('d') }],
    };
    expect(rulesOf([{ sha256: hash('d') }], { history: [two as never] })).toEqual([]);
  });

  it('the same bytes under another version block, a part that did not change does not', () => {
    const again = told([{ sha256: hash('a') }], { history, version: '1.2.0' });
    expect(again).toMatchObject([
      { rule: 'identity.same-bytes', evidence: { expected: '1.2.0', found: '1.0.0' } },
    ]);
    const files = [{ sha256: hash('a') }, { sha256: hash('f') }];
    expect(rulesOf(files, { history, version: '1.2.0' })).toEqual([]);
    expect(rulesOf([{ sha256: hash('a') }], { history, version: undefined })).toEqual([]);
  });

  it('other components and deltas do not count', () => {
    const others = [
      released('1.1.0', undefined, { componentId: 'EC600N' }),
      released('1.1.0', undefined, { packageType: 'delta' }),
    ];
    expect(rulesOf([{}], { history: others })).toEqual([]);
  });
});

describe('C3: signatures', () => {
  const signed = (keyHash = 'aa') => ({ signed: true, keyHash });
  it.each([
    ['signed before, now not', { signed: false }, {}, 'identity.unsigned'],
    ['signed before, now another format', undefined, {}, 'identity.unsigned'],
    ['signed by another key', signed('bb'), {}, 'identity.key-changed'],
  ])('%s', (_name, identity, own, rule) => {
    const history = [released('1.0.0', signed())];
    expect(rulesOf([{ identity }], { history, own })).toEqual([rule]);
  });

  it('the newest release decides', () => {
    const history = [released('0.9.0', signed()), released('1.0.0', { signed: false })];
    expect(rulesOf([{ identity: { signed: false } }], { history })).toEqual([]);
  });

  it('required: unsigned blocks, unknown is could-not-check', () => {
    const own = { signing: { required: true } };
    expect(rulesOf([{ identity: { signed: false } }], { own })).toEqual(['identity.unsigned']);
    expect(rulesOf([{ identity: undefined }], { own })).toEqual(['identity.signature-unknown']);
    expect(rulesOf([{}, { identity: signed() }], { own })).toEqual([]);
    expect(bundleRules['identity.signature-unknown'].verdict).toBe('could-not-check');
  });

  it('a key is good to the end of its last day', () => {
    const expires = (date: string) =>
      rulesOf([{ identity: { signed: true, keyName: 'prod' } }], {
        own: { signing: { keys: [{ name: 'prod', publicKey: 'PEM', expires: date }] } },
      });
    expect(expires('2026-06-01')).toEqual([]);
    expect(expires('2026-05-31')).toEqual(['identity.key-expired']);
  });

  it('with keys in the description, a change of key is no matter of the past', () => {
    const own = { signing: { keys: [{ name: 'prod', publicKey: 'PEM' }] } };
    const history = [released('1.0.0', signed())];
    expect(rulesOf([{ identity: { ...signed('bb'), keyName: 'prod' } }], { history, own })).toEqual(
      [],
    );
  });
});

describe('C5: stale builds', () => {
  it('the descriptor of the release before blocks', () => {
    const history = [released('1.0.0', { version: '1.0.0+7' })];
    const stale = { identity: { version: '1.0.0+7' } };
    expect(told([stale], { history })).toMatchObject([
      { rule: 'identity.stale-build', evidence: { expected: '1.1.0', found: '1.0.0' } },
    ]);
    expect(rulesOf([{ identity: { version: '1.1.0+7' } }], { history })).toEqual([]);
    // A boot loader beside the application keeps its version.
    expect(rulesOf([stale, { identity: { version: 'v1.1.0' } }], { history })).toEqual([]);
  });

  it('a descriptor that carries no numbered version is not stale', () => {
    const history = [released('1.0.0', { version: '1' })];
    expect(rulesOf([{ identity: { version: '1' } }], { history })).toEqual([]);
  });

  it('the text of the release before, without the declared one, is a warning', () => {
    const history = [released('1.0.0')];
    const find = (texts: Record<string, number | null>) => told([{ texts }], { history });
    expect(find({ '1.0.0': 400, '1.1.0': null })).toMatchObject([
      { rule: 'identity.stale-text', evidence: { offset: 400 } },
    ]);
    expect(find({ '1.0.0': 400, '1.1.0': 500 })).toEqual([]);
    expect(find({ '1.0.0': null, '1.1.0': null })).toEqual([]);
    expect(bundleRules['identity.stale-text'].verdict).toBe('warn');
  });
});

describe('C6: deltas', () => {
  const patch = (sizeBytes: number, sourceBytes?: number, targetBytes = 1000) => ({
    format: 'bsdiff40',
    sizeBytes,
    sha256: hash('c'),
    identity: { patch: { targetBytes, ...(sourceBytes === undefined ? {} : { sourceBytes }) } },
  });
  const history = [released('1.0.0')];

  it('one that was proven passes, another is a warning', () => {
    const { deltaProof } = deltaPackage(hash('a'));
    const delta = released('1.1.0', undefined, {
      packageType: 'delta',
      sourceVersion: '1.0.0',
      deltaProof,
    });
    expect(rulesOf([patch(100)], { history: [...history, delta] })).toEqual([
      'identity.delta-proven',
    ]);
    expect(rulesOf([patch(100)], { history })).toEqual(['identity.delta-unproven']);
  });

  it.each([
    [patch(800), []],
    [patch(801), ['identity.delta-large']],
    [patch(10, 999), ['identity.delta-source']],
    [patch(10, 1000), []],
    [patch(10, 1000, 4000), ['identity.delta-target']],
  ])('%j', (file, rules) => {
    expect(rulesOf([file], { history })).toEqual(['identity.delta-unproven', ...rules]);
  });

  it('a delta is neither unsigned nor stale nor the same bytes', () => {
    const own = { signing: { required: true } };
    const before = [released('1.0.0', { signed: true }, { sha256: hash('c') })];
    const texts = { '1.0.0': 4, '1.1.0': null };
    expect(rulesOf([{ ...patch(10), texts }], { own, history: before })).toEqual([
      'identity.delta-unproven',
    ]);
  });

  const lineage = (changes: object, own: object = {}) => {
    const rules: string[] = [];
    const { deltaProof } = deltaPackage(hash('a'));
    const proof = { ...deltaProof, ...changes } as NonNullable<typeof deltaProof>;
    const ends = [
      released('1.0.0', undefined, { sha256: hash('d') }),
      released('1.1.0', undefined, { sha256: hash('a') }),
    ];
    checkLineage(
      {
        component: { ...component, ...own },
        sourceVersion: '1.0.0',
        targetVersion: '1.1.0',
        proof,
        history: ends,
      },
      (rule) => rules.push(rule),
    );
    return rules;
  };
  it.each([
    [{}, {}, []],
    [{ sourceSha256: hash('f') }, {}, ['identity.delta-source']],
    [{ targetSha256: hash('f') }, {}, ['identity.delta-target']],
    [{ patchSizeBytes: 81 }, {}, ['identity.delta-large']],
    [{}, { minSourceVersion: '1.0.1' }, ['identity.step-skipped']],
    [{}, { requiredSteps: ['1.0.5'] }, ['identity.step-skipped']],
    [{}, { requiredSteps: ['1.0.0', '1.1.0', '2.0.0'], minSourceVersion: '1.0.0' }, []],
  ])('lineage with %j and %j: %j', (changes, own, rules) => {
    expect(lineage(changes, own)).toEqual(rules);
  });
});

describe('C8: dates', () => {
  const certificate = (notAfter: string) => ({
    subject: 'device.example',
    notAfter: `${notAfter}T10:00:00.000Z`,
    offset: 40,
    member: 'etc/tls.pem',
  });
  it.each([
    ['2030-12-31', []],
    ['2030-12-30', ['identity.certificate-expires']],
    ['2026-05-01', ['identity.certificate-expired']],
  ])('a certificate until %s in a product supported to the end of 2030: %j', (end, rules) => {
    const supported = product({ supportEnds: '2030-12-31' });
    const files = [{ certificates: [certificate(end)] }];
    const list = told(files, { product: supported });
    expect(list.map(({ rule }) => rule)).toEqual(rules);
    if (list[0])
      expect(list[0].evidence).toEqual({
        offset: 40,
        member: 'etc/tls.pem',
        expected: 'valid until 2030-12-31',
        found: `${end}T10:00:00.000Z`,
      });
  });

  it('a build of tomorrow may be a time zone, one of next week is none', () => {
    const at = (builtAt: string | undefined) => {
      const rules: string[] = [];
      const identity = builtAt === undefined ? undefined : { builtAt };
      checkBuildDate({ identity, report: (rule) => rules.push(rule) }, '2026-06-01T00:00:00.000Z');
      return rules;
    };
    expect(at(undefined)).toEqual([]);
    expect(at('2026-06-02T01:00:00.000Z')).toEqual([]);
    expect(at('2026-06-08T00:00:00.000Z')).toEqual(['identity.build-date-future']);
  });
});

describe('C9: order', () => {
  const semver = { versionScheme: 'semver' as const };
  it.each([
    ['1.1.0', semver, ['1.0.0', '1.2.0'], ['identity.downgrade']],
    ['1.1.0', semver, ['1.10.0', '1.2.0'], ['identity.downgrade']],
    ['1.1.0', semver, ['1.1.0-rc.1', '1.0.9'], []],
    ['1.1.0', {}, ['1.2.0'], []],
    ['1.1', semver, ['1.0.0'], ['identity.version-form']],
    ['1.1.0', semver, ['build-7'], []],
    ['R02V3', { versionScheme: { pattern: 'R(\\d+)V(\\d+)' } }, ['R02V10'], ['identity.downgrade']],
  ])('%s after %j', (version, own, versions, rules) => {
    const history = versions.map((text) => released(text));
    expect(rulesOf([{}], { version, own, history })).toEqual(rules);
  });

  it('names the highest release, whenever it was made', () => {
    const history = ['1.5.0', '1.9.0', '1.7.0'].map((text) => released(text));
    expect(told([{}], { own: semver, history })[0]?.evidence.expected).toBe('1.9.0');
  });

  const counted = (securityCounter: number | undefined) => ({
    identity: { signed: true, ...(securityCounter === undefined ? {} : { securityCounter }) },
  });
  it.each([
    [6, ['identity.counter-lower']],
    [7, []],
    [8, ['identity.counter-raised']],
    [undefined, ['identity.counter-absent']],
  ])('a security counter of %j after 3, 7 and 5: %j', (counter, rules) => {
    const history = [3, 7, 5].map((securityCounter, index) =>
      released(`1.0.${index}`, { signed: true, securityCounter }),
    );
    expect(rulesOf([counted(counter)], { history })).toEqual(rules);
  });

  it('the first counter is nothing to compare, and formats without one say nothing', () => {
    expect(rulesOf([counted(4)])).toEqual([]);
    const history = [released('1.0.0', { securityCounter: 7 })];
    expect(rulesOf([{ identity: { version: '1.1.0' } }], { history })).toEqual([]);
  });
});

describe('C10: other components', () => {
  const compatibility = [
    { STM32: '>=1.0.0 <2.0.0', EC600N: '<=R05' },
    { STM32: '>=2.0.0', EC600N: '>=R06' },
  ];
  const described = product({ compatibility }, { versionScheme: 'semver' });
  const module = (version: string) => released(version, undefined, { componentId: 'EC600N' });
  const check = (version: string, ...modules: string[]) =>
    rulesOf([{}], { version, product: described, history: modules.map(module) });
  it('are compared with their newest release', () => {
    expect(check('2.1.0')).toEqual([]);
    expect(check('2.1.0', 'R05', 'R06')).toEqual(['identity.compatible']);
    expect(check('2.1.0', 'R05')).toEqual(['identity.incompatible-newest']);
    expect(check('0.9.0', 'R05')).toEqual(['identity.incompatible']);
  });

  it('in the same release must fit', () => {
    const history = [released('2.1.0', undefined, { componentId: 'EC600N' })];
    const wide = product({ compatibility: [{ STM32: '*', EC600N: '1.0.0' }] });
    expect(rulesOf([{}], { version: '2.1.0', product: wide, history })).toEqual([
      'identity.incompatible',
    ]);
  });

  it('that MCUboot dependencies name must be new enough', () => {
    const numbered = product();
    const [own, other] = numbered.components;
    const components = [own, { ...other, imageNumber: 1 }] as typeof numbered.components;
    const needs = {
      identity: { dependencies: [{ imageNumber: 1, minVersion: '1.10.0+2' }] },
    };
    const rules = (...versions: string[]) =>
      rulesOf([needs], {
        product: { ...numbered, components },
        history: versions.map((version) =>
          released(version, { version }, { componentId: 'EC600N' }),
        ),
      });
    expect(rules()).toEqual(['mcuboot.dependency-open']);
    expect(rules('1.9.0+9')).toEqual(['mcuboot.dependency-unmet']);
    expect(rules('1.10.0+1')).toEqual(['mcuboot.dependency-unmet']);
    expect(rules('1.10.0+2')).toEqual([]);
    expect(rulesOf([needs])).toEqual([]);
  });
});
