import { createHash, randomBytes } from 'node:crypto';
import { readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlan, jobIdOf } from '../support/cloud.ts';
import { peer } from '../support/peers.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
beforeEach(async () => {
  cloud = await TestCloud.start();
});
afterEach(() => cloud.stop());

/** Both kinds of address of an artifact, and what it holds. */
async function publish(sizeBytes: number) {
  const bytes = randomBytes(sizeBytes);
  const device = await cloud.http('dev-1');
  await cloud.operator.publish(makePlan(await cloud.operator.putPackage(bytes)));
  const { href, artifact } = await device.begin();
  const short = `${cloud.running.http}/a/${jobIdOf(href)}`;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes, sha256, addresses: [artifact, short] };
}

/** Runs curl as dev-1; answers the status, the headers and how many bytes it wrote to `out`. */
async function curl(...args: string[]) {
  const authorization = `Authorization: TargetToken ${cloud.secretOf('dev-1')}`;
  const found = await peer('curl', ['-sS', '-D', '-', '-H', authorization, ...args]);
  const headers = new Map(
    found.stdout
      .split('\r\n')
      .map((line) => /^([^:]+): (.*)$/.exec(line))
      .map((match) => [match?.[1]?.toLowerCase() ?? '', match?.[2] ?? '']),
  );
  return { code: found.code, status: Number(found.stdout.split(' ')[1]), headers };
}

test.each([
  ['from memory', 300_000],
  ['from a file', 33 * 1024 * 1024],
])('curl gets, ranges and resumes an artifact that is served %s', async (_how, sizeBytes) => {
  const { bytes, sha256, addresses } = await publish(sizeBytes);
  const out = join(cloud.folder, 'download.bin');
  for (const address of addresses) {
    const whole = await curl('-o', out, address);
    expect(whole.status).toBe(200);
    expect(whole.headers.get('etag')).toBe(`"${sha256}"`);
    expect(whole.headers.get('accept-ranges')).toBe('bytes');
    expect((await readFile(out)).equals(bytes)).toBe(true);

    const part = await curl('--range', '1000-1999', '-o', out, address);
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 1000-1999/${sizeBytes}`);
    expect((await readFile(out)).equals(bytes.subarray(1000, 2000))).toBe(true);
    await curl('--range', '-500', '-o', out, address);
    expect((await readFile(out)).equals(bytes.subarray(-500))).toBe(true);

    await curl('-o', out, address);
    await truncate(out, 123_456);
    const resumed = await curl('-C', '-', '-o', out, address);
    expect(resumed.status).toBe(206);
    expect(resumed.headers.get('content-range')).toBe(`bytes 123456-${sizeBytes - 1}/${sizeBytes}`);
    expect((await readFile(out)).equals(bytes)).toBe(true);

    const beyond = await curl('--range', `${sizeBytes}-`, '-o', out, address);
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe(`bytes */${sizeBytes}`);
  }
});

test('conditions decide between the rest, the whole and nothing', async () => {
  const { sha256, addresses } = await publish(5000);
  const out = join(cloud.folder, 'download.bin');
  const range = ['--range', '4000-', '-o', out];
  for (const address of addresses) {
    const ask = async (...headers: string[]) =>
      (await curl(...headers.flatMap((header) => ['-H', header]), ...range, address)).status;
    expect(await ask(`If-Range: "${sha256}"`)).toBe(206);
    expect(await ask('If-Range: "older"')).toBe(200);
    expect((await stat(out)).size).toBe(5000);
    expect(await ask(`If-Range: W/"${sha256}"`)).toBe(200);
    expect(await ask(`If-Match: "${sha256}"`)).toBe(206);
    expect(await ask('If-Match: "older"')).toBe(412);
    expect(await ask(`If-None-Match: "${sha256}"`)).toBe(304);
    const head = await curl('-I', address);
    expect(head.headers.get('content-length')).toBe('5000');
    expect(head.status).toBe(200);
  }
});

test('an artifact that was damaged on the disk is not handed out', async () => {
  const { sha256, addresses } = await publish(5000);
  await truncate(join(cloud.folder, 'artifacts', sha256), 4999);
  const out = join(cloud.folder, 'download.bin');
  const found = await curl('-o', out, addresses[0] ?? '');
  expect(found.status).toBe(500);
  const { error } = JSON.parse(await readFile(out, 'utf8')) as { error: { code: string } };
  expect(error.code).toBe('artifact-damaged');
});
