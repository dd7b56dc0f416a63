import { basename, extname } from 'node:path';
import { expect, it } from 'vitest';
import { inspectFiles } from '../../electron/core/bundle/inspect-files.ts';
import type { InspectedFile } from '../../shared/domain/finding.ts';
import { firmwarePackages, imagesOf } from '../support/released-firmware.ts';
import { writeSection } from './report.ts';

/** Images that are broken as released, and the rule that must say so. */
const broken = new Map([
  ['optiboot_atmega168.hex', 'intel-hex.overlap'],
  ['optiboot_atmega328.hex', 'intel-hex.overlap'],
  ['AAVMF_VARS.fd', 'file.all-00'],
]);
const leastImages = 40;
const namesShown = 3;

interface Outcome {
  readonly origin: string;
  readonly name: string;
  readonly file: InspectedFile;
  readonly verdict: string;
  readonly elapsedMs: number;
}

const context = { signal: new AbortController().signal, onProgress: () => undefined };

async function inspect(path: string, origin: string): Promise<Outcome> {
  const name = basename(path);
  const startedMs = performance.now();
  const report = await inspectFiles(
    { files: [{ path, name }], fileTypes: [extname(name)] },
    context,
  );
  const [file] = report.files;
  if (file === undefined) throw new Error(`no report about ${name}`);
  return { origin, name, file, verdict: report.verdict, elapsedMs: performance.now() - startedMs };
}

const rulesOf = ({ file }: Outcome): string =>
  [...new Set(file.findings.filter(({ verdict }) => verdict !== 'pass').map(({ rule }) => rule))]
    .sort()
    .join(', ');

/** One row for the images of a package about which the same was said. */
function rows(outcomes: readonly Outcome[]): string[] {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const { origin, file, verdict } = outcome;
    const key = `| ${origin} | ${file.format} | ${verdict} | ${rulesOf(outcome)} |`;
    groups.set(key, [...(groups.get(key) ?? []), outcome]);
  }
  return [...groups].map(([key, group]) => {
    const names = [...new Set(group.map(({ name }) => name))];
    const more = names.length > namesShown ? ', …' : '';
    const [, origin, ...rest] = key.split('|');
    const images = `${group.length} × ${names.slice(0, namesShown).join(', ')}${more}`;
    return `|${origin}| ${group.length > 1 ? images : names[0]} |${rest.join('|')}`;
  });
}

it('no released firmware is blocked, unless it is broken', async () => {
  const outcomes: Outcome[] = [];
  const missing: string[] = [];
  for (const pkg of firmwarePackages) {
    const origin = `${pkg.registry.replace('-arm64', '')} ${pkg.name} ${pkg.version}`;
    let paths: string[] = [];
    try {
      paths = imagesOf(pkg);
    } catch (error) {
      missing.push(`${origin} (${error instanceof Error ? error.message.slice(0, 120) : error})`);
    }
    for (const path of paths) outcomes.push(await inspect(path, origin));
  }
  const count = (verdict: string): number =>
    outcomes.filter((outcome) => outcome.verdict === verdict).length;
  const slowest = outcomes.reduce((a, b) => (a.elapsedMs > b.elapsedMs ? a : b));
  writeSection('firmware', 'Inspecting released firmware', [
    `${outcomes.length} images of ${firmwarePackages.length - missing.length} packages, each pinned by its SHA-256:`,
    `${count('pass')} pass, ${count('warn')} warn, ${count('could-not-check')} could not be checked, ${count('block')} are blocked.`,
    `The slowest, ${slowest.name} with ${slowest.file.sizeBytes.toLocaleString('en')} bytes, took ${slowest.elapsedMs.toFixed(0)} ms.`,
    'Images of a package about which the same was said share a row; rules that passed are left away.',
    '',
    '| package | images | format | verdict | findings |',
    '|---|---|---|---|---|',
    ...rows(outcomes),
    '',
    'Blocked for a reason: both optiboot files set the two bytes at the end of the flash twice, to',
    'different values, and AAVMF_VARS.fd holds nothing but 64 MiB of zeros.',
    ...(missing.length > 0 ? ['', `Not served any more: ${missing.join('; ')}`] : []),
  ]);
  for (const { name, verdict, file } of outcomes) {
    const blocks = file.findings.filter((finding) => finding.verdict === 'block');
    const expected = broken.get(name);
    if (expected === undefined) expect(blocks, name).toEqual([]);
    else {
      expect(verdict, name).toBe('block');
      expect(blocks.map(({ rule }) => rule)).toContain(expected);
    }
  }
  expect(outcomes.length).toBeGreaterThanOrEqual(leastImages);
}, 1_800_000);
