import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { InspectReport } from '../../shared/domain/finding.ts';
import type { SarifLog } from '../../shared/report/sarif-report.ts';
import { slipway } from '../support/command.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const inspect = (...args: string[]) =>
  slipway(['--workspace', folder, 'bundle', 'inspect', ...args]);
const report = (...args: string[]) => slipway(['--workspace', folder, 'bundle', 'report', ...args]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-report-'));
  await cp('resources/sample', folder, { recursive: true });
  await writeFile(at('empty.bin'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('inspect writes a report to a file beside its usual result, and the exit code tells the verdict', async () => {
  const outcome = await inspect(at('empty.bin'), '--report', 'sarif', '-o', at('out.sarif'));
  expect(outcome.exitCode).toBe(1);
  expect((JSON.parse(outcome.stdout) as InspectReport).verdict).toBe('block');
  const sarif = JSON.parse(await readFile(at('out.sarif'), 'utf8')) as SarifLog;
  expect(sarif.runs[0].results.map(({ ruleId, level }) => `${ruleId} ${level}`)).toContain(
    'file.empty error',
  );
  expect(outcome.stderr).toContain('out.sarif');
});

test('without a file the report is the result, and the name of a file tells the format', async () => {
  const html = await inspect(at('firmware/sensor-1.1.0.bin'), '--report', 'html');
  expect(html.exitCode).toBe(0);
  expect(html.stdout).toMatch(/^<!doctype html>/);
  await inspect(at('firmware/sensor-1.1.0.bin'), '-o', at('named.html'));
  expect(await readFile(at('named.html'), 'utf8')).toMatch(/^<!doctype html>/);
});

test('a made package is reported on by its id and by its name', async () => {
  const image = at('firmware/sensor-1.1.0.bin');
  const target = ['--product', 'SENSOR-1', '--component', 'STM32', '--version', '1.1.0'];
  const made = await slipway(['--workspace', folder, 'bundle', 'create', image, ...target]);
  const { id } = JSON.parse(made.stdout) as { id: string };
  const byId = await report(id, '--report', 'json');
  expect((JSON.parse(byId.stdout) as InspectReport).files[0]?.name).toBe('sensor-1.1.0.bin');
  const byName = await report('SENSOR-1/STM32@1.1.0', '-o', at('package.html'));
  expect(byName.exitCode).toBe(0);
  expect(await readFile(at('package.html'), 'utf8')).toContain('SENSOR-1 STM32 1.1.0');
  expect(await report('SENSOR-1/STM32@9.9.9')).toMatchObject({
    exitCode: 2,
    problem: { code: 'unknown-id' },
  });
});

test('a name that tells no format and a place that cannot be written leave nothing behind', async () => {
  const image = at('firmware/sensor-1.1.0.bin');
  expect(await inspect(image, '-o', at('report.txt'))).toMatchObject({
    exitCode: 2,
    problem: { code: 'report-format' },
  });
  const unwritable = at('slipway.yaml/report.html');
  expect((await inspect(image, '-o', unwritable)).exitCode).toBe(3);
  const left = await readdir(folder);
  expect(left.filter((name) => name.includes('report'))).toEqual([]);
});
