import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RepeatedDownloads } from '../../electron/cloud/http/repeated-downloads.ts';
import { ArtifactStore } from '../../electron/cloud/store/artifact-store.ts';
import type { Plan } from '../../shared/domain/plan.ts';
import { makeDevice } from '../support/cloud.ts';
import { TestCloud } from '../support/test-cloud.ts';

const answers = vi.spyOn(RepeatedDownloads.prototype, 'answer');
let cloud: TestCloud;
let plan: Plan;
beforeEach(async () => {
  cloud = await TestCloud.start();
  await cloud.http('dev-1');
  await cloud.http('dev-2');
  plan = await cloud.publishFull();
  for (const id of ['dev-1', 'dev-2']) {
    const headers = { authorization: `TargetToken ${cloud.secretOf(id)}` };
    await fetch(`${cloud.running.http}/default/controller/v1/${id}`, { headers });
  }
});
afterEach(async () => {
  answers.mockClear();
  await cloud.stop();
});

interface Asked {
  readonly method?: 'GET' | 'HEAD';
  readonly secret?: string;
  readonly job?: number;
  readonly headers?: Record<string, string>;
}

/** The answer, and whether it came ahead of the framework. */
async function ask({ method = 'GET', secret, job = 1, headers = {} }: Asked = {}) {
  const authorization = `TargetToken ${secret ?? cloud.secretOf('dev-1')}`;
  const url = `${cloud.running.http}/a/${job}`;
  const answer = await fetch(url, { method, headers: { authorization, ...headers } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, answer, bytes, isRepeated: answers.mock.results.at(-1)?.value };
}

/** Asks until the answer comes ahead of the framework: a commit, of what was heard say, may come between. */
async function repeated(): Promise<Buffer> {
  for (let turn = 0; turn < 20; turn++) {
    const { status, bytes, isRepeated } = await ask();
    expect(status).toBe(200);
    if (isRepeated) return bytes;
  }
  throw new Error('no download was repeated');
}

const described = ({ status, answer, bytes }: Awaited<ReturnType<typeof ask>>) => ({
  status,
  bytes: bytes.toString('hex'),
  headers: Object.fromEntries([...answer.headers].filter(([name]) => name !== 'date')),
});

test('the first download is not repeated, later ones are, with the same answers', async () => {
  const first = await ask();
  expect(first.isRepeated).toBe(false);
  const etag = first.answer.headers.get('etag') ?? '';
  expect(etag).toBe(`"${createHash('sha256').update(first.bytes).digest('hex')}"`);
  const requests: Asked[] = [
    {},
    { method: 'HEAD' },
    { headers: { range: 'bytes=10-19' } },
    { headers: { range: 'bytes=-7' } },
    { headers: { range: 'bytes=4990-' } },
    { headers: { range: 'bytes=9000-' } },
    { headers: { range: 'bytes=0-1,5-6' } },
    { headers: { range: 'bytes=0-1', 'if-range': etag } },
    { headers: { range: 'bytes=0-1', 'if-range': '"other"' } },
    { headers: { 'if-none-match': etag } },
    { headers: { 'if-match': '"other"' } },
  ];
  for (const request of requests) {
    answers.mockReturnValueOnce(false);
    const framework = described(await ask(request));
    await repeated();
    const again = await ask(request);
    expect(again.isRepeated).toBe(true);
    expect(described(again)).toEqual(framework);
  }
});

test('nobody else gets what a device may download', async () => {
  await repeated();
  for (const secret of ['', 'wrong', cloud.secretOf('dev-2')])
    expect((await ask({ secret })).status).toBe(401);
  expect((await ask({ job: 2 })).status).toBe(401);
  expect((await ask({ job: 3 })).status).toBe(401);
});

test('a download that is allowed no longer is not repeated', async () => {
  await repeated();
  const old = cloud.secretOf('dev-1');
  const devices = [makeDevice('dev-1', { transport: 'http', batch: 'b' })];
  const { secrets } = await cloud.operator.call<{ secrets: Record<string, string> }>(
    'PUT',
    '/devices',
    { devices, rotate: true },
  );
  expect((await ask({ secret: old })).status).toBe(401);
  cloud.secrets.set('dev-1', secrets['dev-1'] ?? '');
  await repeated();
  const headers = { authorization: `TargetToken ${cloud.secretOf('dev-1')}` };
  const feedback = { id: '1', status: { execution: 'closed', result: { finished: 'failure' } } };
  const url = `${cloud.running.http}/default/controller/v1/dev-1/deploymentBase/1/feedback`;
  const reported = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(feedback),
  });
  expect(reported.status).toBe(200);
  expect((await ask()).status).toBe(410);
});

test('a repeated download counts as a request, and its device as heard of', async () => {
  await repeated();
  const metrics = await (await fetch(`${cloud.running.http}/metrics`)).text();
  const counted = /slipway_http_requests_total\{.*route="\/a\/:actionId",status="200"\} (\d+)/;
  const asked = answers.mock.calls.filter(([request]) => request.url === '/a/1').length;
  expect(Number(counted.exec(metrics)?.[1])).toBe(asked);
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgrading', attempts: 1 });
});

test('of many artifacts only so many are kept in memory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-artifacts-'));
  try {
    const store = await ArtifactStore.open(folder);
    const sizeBytes = 15 * 1024 * 1024;
    const artifacts = [];
    for (let fill = 0; fill < 6; fill++) {
      const bytes = Buffer.alloc(sizeBytes, fill);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      await store.receive(
        (async function* parts() {
          yield bytes;
        })(),
        { sha256, sizeBytes },
      );
      const artifact = { sha256, sizeBytes };
      artifacts.push(artifact);
      expect(store.held(sha256)).toBeNull();
      expect((await store.read(artifact, 1, 1)) as Buffer).toEqual(Buffer.of(fill));
      expect(store.held(sha256)?.length).toBe(sizeBytes);
    }
    const held = artifacts.map(({ sha256 }) => store.held(sha256) !== null);
    expect(held).toEqual([false, false, true, true, true, true]);
    await store.remove(artifacts[5]?.sha256 ?? '');
    expect(store.held(artifacts[5]?.sha256 ?? '')).toBeNull();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
