import { existsSync } from 'node:fs';
import { cp, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { planComponents } from '../../shared/domain/plan-draft.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import { problem, toProblem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import { entryPath } from '../worker/run-task.ts';
import { printProblem, printResult, progressPrinter } from './output.ts';
import { waitForEnd } from './plan.ts';
import type { GlobalOptions } from './session.ts';

const productId = 'SENSOR-1';
const componentId = 'STM32';
const [sourceVersion, targetVersion] = ['1.0.0', '1.1.0'];
/** The simulated fleet; its devices on China Telecom SIMs must be excluded by name. */
const fleet = { http: 25, mqtt: 25, chinaTelecom: 2 };
const rolloutTimeoutMs = 120_000;

/** `slipway demo`: the whole release line on a copy of the sample project. */
export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description('run the whole release line on a copy of the sample project')
    .action(async (_options: unknown, command: Command) => {
      const json = command.optsWithGlobals<GlobalOptions>().json ?? false;
      let studio: Studio | null = null;
      try {
        const folder = await mkdtemp(join(tmpdir(), 'slipway-demo-'));
        await cp(sampleFolder(), folder, { recursive: true });
        const { createStudio } = await import('../core/studio.ts');
        studio = await createStudio({ workspacePath: folder, version: __SLIPWAY_VERSION__ });
        const print = progressPrinter(json);
        studio.subscribe((event) => {
          if (event.type === 'job') print(event.job);
        });
        const summary = await runLine(studio, join(folder, 'firmware'));
        printResult(json, { workspace: folder, ...summary }, () => summaryText(folder, summary));
        const good = summary.evidence.verdict === 'pass' && summary.rollout.failed === 0;
        process.exitCode = good ? 0 : 1;
      } catch (error) {
        process.exitCode = printProblem(json, toProblem(error));
      } finally {
        await studio?.close();
      }
    });
}

/** In the checkout; in a package beside the archive, where files can be copied from. */
function sampleFolder(): string {
  const root = join(dirname(entryPath('cli')), '../..');
  const own = join(root, 'resources/sample');
  return existsSync(own) ? own : join(root, '../sample');
}

type Summary = Awaited<ReturnType<typeof runLine>>;

async function runLine(studio: Studio, images: string) {
  const full = async (version: string) => {
    const release = await studio.ask('releases.create', { productId, version });
    return studio.ask('bundle.create', {
      releaseId: release.id,
      componentId,
      files: [join(images, `sensor-${version}.bin`)],
    });
  };
  const source = await full(sourceVersion);
  const target = await full(targetVersion);
  const delta = await studio.ask('delta.create', {
    sourcePackageId: source.id,
    targetPackageId: target.id,
  });

  const board = await studio.ask('bench.virtual.start', { kind: 'stm32' });
  const bench = await studio.ask('bench.flash', {
    port: board.path,
    protocol: 'stm32',
    packageId: target.id,
    expectVersion: targetVersion,
  });
  if (!bench.passed)
    throw problem(
      'bench-failed',
      'The board did not boot the new version',
      `It booted ${bench.result.booted?.version ?? 'nothing'}.`,
      'Look at the recording.',
      'gate',
    );

  await studio.ask('fleet.start', { productId, componentId, fromVersion: sourceVersion, ...fleet });
  const plan = await studio.ask('plans.create', {
    name: `Sensor ${targetVersion}`,
    productId,
    releaseId: target.releaseId,
    components: planComponents(target.releaseId, [target, delta]),
  });
  const { scope } = await studio.ask('plans.check', { planId: plan.id });
  await studio.ask('plans.publish', { planId: plan.id });
  const startedMs = performance.now();
  const status = await waitForEnd(studio, plan.id, AbortSignal.timeout(rolloutTimeoutMs));
  const rolloutMs = Math.round(performance.now() - startedMs);

  const exported = await studio.ask('evidence.export', { releaseId: target.releaseId });
  const report = await studio.ask('evidence.verify', { file: exported.path });
  return {
    bundle: {
      verdict: target.report.verdict,
      sha256: target.sha256,
      sizeBytes: target.files[0]?.sizeBytes ?? 0,
    },
    delta: {
      format: delta.deltaProof?.format ?? '',
      patchSizeBytes: delta.deltaProof?.patchSizeBytes ?? 0,
      proven: delta.deltaProof?.proven ?? false,
    },
    bench: {
      chip: bench.result.chip,
      verified: bench.result.verified,
      booted: bench.result.booted?.version ?? null,
      elapsedMs: bench.result.elapsedMs,
    },
    rollout: {
      state: status.state,
      full: scope.full,
      delta: scope.delta,
      upgraded: status.counts.upgraded,
      failed: status.counts.failed,
      skipped: status.skipped,
      elapsedMs: rolloutMs,
    },
    evidence: {
      path: exported.path,
      sha256: exported.sha256,
      verdict: report.verdict,
      signatures: 'unsigned',
    },
  };
}

function summaryText(folder: string, summary: Summary): string {
  const { bundle, delta, bench, rollout, evidence } = summary;
  const excluded = rollout.skipped.flatMap(({ reason, devices }) =>
    reason === 'chinaTelecom' ? devices : [],
  );
  const share = ((100 * delta.patchSizeBytes) / bundle.sizeBytes).toFixed(0);
  return [
    `Release ${targetVersion} of ${productId} is done.`,
    `  bundle    ${byteText(bundle.sizeBytes)}, verdict ${bundle.verdict}, SHA-256 ${bundle.sha256.slice(0, 16)}…`,
    `  delta     ${delta.format}, ${byteText(delta.patchSizeBytes)} (${share} % of the full image), proven`,
    `  bench     ${bench.chip}, verified, booted ${bench.booted ?? 'nothing'} in ${(bench.elapsedMs / 1000).toFixed(1)} s`,
    `  plan      silent, ${rollout.delta} devices by delta, ${rollout.full} in full; on China Telecom SIMs and left out: ${excluded.join(', ')}`,
    `  rollout   ${rollout.upgraded} upgraded, ${rollout.failed} failed in ${(rollout.elapsedMs / 1000).toFixed(1)} s (${fleet.http} over HTTP, ${fleet.mqtt} over MQTT)`,
    `  evidence  ${evidence.path} (${evidence.verdict}, ${evidence.signatures})`,
    `  workspace ${folder}`,
  ].join('\n');
}
