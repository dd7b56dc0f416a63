import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const description = `<?xml version="1.0" encoding="UTF-8"?>
<package schemaVersion="1.7.2" xmlns:xs="http://www.w3.org/2001/XMLSchema-instance">
  <vendor>Slipway</vendor>
  <name>Pump_DFP</name>
  <description>Device support &amp; drivers</description>
  <releases>
    <release version="1.4.2" date="2026-11-01">Now with <b>flow</b> sensor</release>
    <release version="1.4.0" date="2026-01-01">First</release>
  </releases>
  <devices><family Dfamily="Pump" Dvendor="Slipway:999"><description>x</description></family></devices>
</package>
`;

/** Packs files with Info-ZIP. */
function pack(files: Readonly<Record<string, string>>): Buffer {
  const folder = join(bench.folder, 'pack');
  rmSync(folder, { recursive: true, force: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  rmSync(join(bench.folder, 'out.zip'), { force: true });
  execFileSync('zip', ['-q', '-r', '-D', '../out.zip', '.'], { cwd: folder });
  return readFileSync(join(bench.folder, 'out.zip'));
}

const whole = pack({
  'Slipway.Pump_DFP.pdsc': description,
  'Device/Include/pump.h': '#define PUMP 1\n',
});

describe('CMSIS-Packs', () => {
  it('reads the description and compares the newest release with the declared version', async () => {
    const file = await bench.inspect('Slipway.Pump_DFP.1.4.2.pack', whole, { version: '1.4.2' });
    expect(file.format).toBe('zip');
    expect(file.findings.map(({ rule, verdict }) => [rule, verdict])).toEqual([
      ['cmsis-pack.description', 'pass'],
      ['container.integrity', 'pass'],
      ['identity.version-found', 'pass'],
      ['file.hash', 'pass'],
    ]);
    expect(file.findings[0]).toMatchObject({
      detail:
        '"Slipway.Pump_DFP.pdsc": CMSIS-Pack Slipway::Pump_DFP, newest release 1.4.2, 2 releases',
      evidence: { member: 'Slipway.Pump_DFP.pdsc' },
    });
    expect(await bench.rulesOf('old.pack', whole, { version: '1.4.9' })).toContain(
      'identity.version-differs',
    );
  });

  it('reads a .pack that is a plain zip as one', async () => {
    const rules = await bench.rulesOf('up.pack', pack({ 'update.bin': 'data' }));
    expect(rules).toEqual(['container.integrity', 'file.hash']);
  });

  it('tells several descriptions, and one that is not at the root', async () => {
    const several = pack({ 'a.pdsc': description, 'b.pdsc': description });
    expect(await bench.rulesOf('a.pack', several)).toContain('cmsis-pack.several');
    const inner = pack({ 'pack/Slipway.Pump_DFP.pdsc': description });
    expect(await bench.rulesOf('a.pack', inner)).toContain('cmsis-pack.not-at-root');
    expect(await bench.rulesOf('a.zip', inner)).not.toContain('cmsis-pack.not-at-root');
  });

  it.each([
    ['cmsis-pack.not-xml', description.slice(0, 200)],
    ['cmsis-pack.not-xml', description.replace('</name>', '</nam>')],
    ['cmsis-pack.not-xml', description.replace('&amp;', '&undefined;')],
    ['cmsis-pack.not-xml', 'no description\n'],
    ['cmsis-pack.incomplete', description.replace(/<release .*<\/release>/g, '')],
    ['cmsis-pack.incomplete', description.replace('<vendor>Slipway</vendor>', '')],
    ['cmsis-pack.incomplete', description.replaceAll('package', 'packages')],
  ])('stops %s', async (rule, text) => {
    const file = await bench.inspect('a.pack', pack({ 'Slipway.Pump_DFP.pdsc': text }));
    const found = file.findings.find((finding) => finding.rule === rule);
    expect(found).toMatchObject({
      verdict: 'block',
      evidence: { member: 'Slipway.Pump_DFP.pdsc' },
    });
    if (rule === 'cmsis-pack.not-xml') expect(found?.detail).toMatch(/: line \d+, column \d+: /);
  });

  it('warns of a description under another name', async () => {
    const other = pack({ 'Slipway.Valve_DFP.pdsc': description });
    expect(await bench.rulesOf('a.pack', other)).toContain('cmsis-pack.name');
  });

  it('expands no entities and reads no more than a bounded description', async () => {
    const entities = description
      .replace('<package', '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><package')
      .replace('drivers', '&c;');
    expect(await bench.rulesOf('a.pack', pack({ 'a.pdsc': entities }))).toContain(
      'cmsis-pack.not-xml',
    );
    const padding = Array.from(
      { length: 17 * 1024 },
      (_, line) => `<!-- ${line} ${'='.repeat(1010)} -->\n`,
    );
    const large = description.replace('<devices>', `${padding.join('')}<devices>`);
    const file = await bench.inspect('a.pdsc', Buffer.from(large), { fileTypes: ['.pdsc'] });
    expect(file.findings[0]).toMatchObject({
      rule: 'cmsis-pack.too-large',
      verdict: 'could-not-check',
    });
  });
});
