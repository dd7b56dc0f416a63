import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pythonPeer } from '../support/peers.ts';
import { until } from '../support/cloud.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
beforeEach(async () => {
  cloud = await TestCloud.start();
});
afterEach(() => cloud.stop());

/** Reads the text with Prometheus' own parser: each sample as `name{label=value,…}` and its value. */
const parser = `import json, sys
from prometheus_client.parser import text_string_to_metric_families
samples = {}
for family in text_string_to_metric_families(open(sys.argv[1]).read()):
    for sample in family.samples:
        labels = ','.join(f'{key}={value}' for key, value in sorted(sample.labels.items()))
        samples[f'{sample.name}{{{labels}}}'] = sample.value
print(json.dumps(samples))
`;

async function scrape(): Promise<Record<string, number>> {
  const answer = await fetch(`${cloud.running.http}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const [text, script] = [join(cloud.folder, 'metrics.txt'), join(cloud.folder, 'parse.py')];
  await writeFile(text, await answer.text());
  await writeFile(script, parser);
  const found = await pythonPeer('python', [script, text]);
  if (found.code !== 0) throw new Error(found.stderr);
  return JSON.parse(found.stdout) as Record<string, number>;
}

test('Prometheus reads devices, plans, connections, requests and commits, and no id of a device', async () => {
  await cloud.http('dev-http');
  await cloud.mqtt('dev-mqtt');
  const registered = await cloud.lwm2m('dev-lwm2m');
  await registered.register();
  const plan = await cloud.publishFull();
  const samples = await until(
    scrape,
    (found) => found['slipway_connected_devices{protocol=lwm2m}'] === 1,
  );

  expect(samples).toMatchObject({
    'slipway_devices{transport=http}': 1,
    'slipway_devices{transport=mqtt}': 1,
    'slipway_devices{transport=lwm2m}': 1,
    'slipway_connected_devices{protocol=mqtt}': 1,
  });
  const ofPlan = Object.entries(samples).filter(([name]) => name.includes(`plan=${plan.id}`));
  expect(ofPlan.reduce((sum, [, value]) => sum + value, 0)).toBe(3);
  expect(
    samples['slipway_http_requests_total{method=PUT,route=/api/v1/plans/:id,status=200}'],
  ).toBe(1);
  expect(samples['slipway_commit_seconds_count{}']).toBeGreaterThan(3);
  expect(samples['process_resident_memory_bytes{}']).toBeGreaterThan(10_000_000);
  expect(JSON.stringify(samples)).not.toContain('dev-');
});
