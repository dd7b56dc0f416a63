import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ScratchResult, runScratchRollout } from '../../electron/cli/scratch-rollout.ts';
import { LocalCloudProcess } from '../../electron/core/clouds/local-cloud-process.ts';
import { writeSection } from './report.ts';

const imageBytes = 256 * 1024;
const fullSizeLimitMs = 180_000;
const clockTicksPerSec = 100;

interface Measured extends ScratchResult {
  readonly cloudPeakMb: number | null;
  readonly cloudCpuSec: number | null;
}

/** CPU seconds and peak memory of a process so far; null where there is no /proc. */
function usage(pid: number): { cpuSec: number | null; peakMb: number | null } {
  if (process.platform !== 'linux') return { cpuSec: null, peakMb: null };
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields 14 and 15 (proc(5)), counted from behind the name, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    cpuSec: (Number(fields[11]) + Number(fields[12])) / clockTicksPerSec,
    peakMb: Number(peak) / 1024,
  };
}

/** One rollout on a cloud of its own, measured from registering the devices to the end of the plan. */
async function measure(
  devices: { http: number; mqtt: number; lwm2m?: number },
  signal = new AbortController().signal,
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-rollout-'));
  const dataDir = join(folder, 'cloud');
  const cloudProcess = new LocalCloudProcess({ dataDir });
  try {
    const image = join(folder, 'image.bin');
    writeFileSync(image, Buffer.alloc(imageBytes, 'slipway scratch image '));
    const cloud = await cloudProcess.start();
    const { pid } = JSON.parse(readFileSync(join(dataDir, 'endpoint.json'), 'utf8')) as {
      pid: number;
    };
    const target = {
      cloud,
      devices: { lwm2m: 0, ...devices },
      productId: 'B',
      componentId: 'APP',
      fromVersion: '1.0.0',
    };
    const result = await runScratchRollout(target, image, signal);
    const { cpuSec, peakMb } = usage(pid);
    return { ...result, cloudCpuSec: cpuSec, cloudPeakMb: peakMb };
  } finally {
    await cloudProcess.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
const or = (value: number | null, digits: number): string => value?.toFixed(digits) ?? '-';

function row(name: string, run: Measured): string {
  const times = [run.elapsedMs, run.p50Ms, run.p99Ms].map(seconds).join(' | ');
  return `| ${name} | ${run.succeeded} of ${run.devices} | ${times} | ${or(run.cloudPeakMb, 0)} | ${or(run.cloudCpuSec, 1)} |`;
}

it('rolls a 256 KiB image out to 1,000 HTTP, 1,000 MQTT, 1,000 LwM2M and 10,000 mixed devices', async () => {
  const http = await measure({ http: 1000, mqtt: 0 });
  const mqtt = await measure({ http: 0, mqtt: 1000 });
  const lwm2m = await measure({ http: 0, mqtt: 0, lwm2m: 1000 });
  const limit = AbortSignal.timeout(fullSizeLimitMs);
  const mixed = await measure({ http: 5000, mqtt: 5000 }, limit).catch((error: unknown) => {
    if (limit.aborted) return null;
    throw error;
  });
  writeSection('rollout', 'Rolling out 256 KiB', [
    'Simulated devices in a process of their own on the same machine: each downloads the whole image,',
    'checks size and SHA-256, reports every step and proves the new version. HTTP devices poll every',
    '5 s, evenly spread; MQTT devices are told. Times are from publishing to the success of the last,',
    'the median and the 99th percentile device. The cloud commits every report to disk, over HTTP before',
    'it answers; its CPU and peak memory include registering and connecting the devices.',
    '',
    '| devices | upgraded | last s | p50 s | p99 s | cloud peak MB | cloud CPU s |',
    '|---|---|---|---|---|---|---|',
    row('1,000 HTTP', http),
    row('1,000 MQTT', mqtt),
    row('1,000 LwM2M, pull over CoAP', lwm2m),
    mixed
      ? row('5,000 HTTP and 5,000 MQTT', mixed)
      : `| 5,000 HTTP and 5,000 MQTT | not within ${fullSizeLimitMs / 1000} s | | | | | |`,
  ]);
  for (const run of [http, mqtt, lwm2m, mixed]) {
    if (run) expect(run).toMatchObject({ succeeded: run.devices, failed: 0 });
  }
  expect(mixed, `10,000 devices within ${fullSizeLimitMs / 1000} s`).not.toBeNull();
}, 600_000);
