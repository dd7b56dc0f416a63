import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import { PlanFollower } from '../../electron/core/clouds/plan-follower.ts';
import type { PlanChange } from '../../shared/domain/plan.ts';
import { Operator, until } from '../support/cloud.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
const followers: PlanFollower[] = [];
beforeEach(async () => {
  cloud = await TestCloud.start();
});
afterEach(async () => {
  for (const follower of followers.splice(0)) follower.follow(null);
  await cloud.stop();
});

function follow(planId: string): PlanChange[] {
  const heard: PlanChange[] = [];
  const follower = new PlanFollower(
    async () => new LocalCloud(cloud.running),
    (of, change) => {
      expect(of).toBe(planId);
      heard.push(change);
    },
  );
  followers.push(follower);
  follower.follow(planId);
  return heard;
}

test('a plan is told as it is, then what changes, with the devices and in order', async () => {
  const [first, second] = [await cloud.http('dev-1'), await cloud.http('dev-2')];
  const plan = await cloud.publishFull();
  const heard = follow(plan.id);
  await until(
    () => heard.length,
    (count) => count === 1,
  );
  expect(heard[0]).toMatchObject({ deviceIds: null, progress: { counts: { notUpgraded: 2 } } });

  await first.begin();
  await until(
    () => heard.at(-1)?.progress.counts.upgrading,
    (count) => count === 1,
  );
  expect(heard.at(-1)?.deviceIds).toEqual(['dev-1']);
  expect(heard.at(-1)?.progress.state).toBe('upgrading');
  await first.runs('1.1.0');
  await second.begin();
  await second.runs('1.1.0');
  await until(
    () => heard.at(-1)?.progress.state,
    (state) => state === 'ended',
  );
  expect(heard.at(-1)?.progress.counts.upgraded).toBe(2);
  const numbers = heard.map(({ seq }) => seq);
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
});

test('what an operator does is told as well', async () => {
  await cloud.http('dev-1');
  const plan = await cloud.publishFull();
  const heard = follow(plan.id);
  await until(
    () => heard.length,
    (count) => count === 1,
  );
  await cloud.operator.control(plan.id, 'suspend');
  await until(
    () => heard.at(-1)?.progress.state,
    (state) => state === 'suspended',
  );
  await cloud.operator.control(plan.id, 'terminate');
  await until(
    () => heard.at(-1)?.progress.counts.failed,
    (count) => count === 1,
  );
});

test('a cloud that was away is followed again when it is back', async () => {
  await cloud.http('dev-1');
  const plan = await cloud.publishFull();
  const heard = follow(plan.id);
  await until(
    () => heard.length,
    (count) => count === 1,
  );
  await cloud.close();
  await cloud.reopen();
  await cloud.operator.control(plan.id, 'terminate');
  await until(
    () => heard.at(-1)?.progress.state,
    (state) => state === 'terminated',
  );
});

test('curl reads Server-Sent Events; nobody without an account does', async () => {
  await cloud.http('dev-1');
  const plan = await cloud.publishFull();
  const url = `${cloud.running.http}/api/v1/plans/${plan.id}/events`;
  expect((await fetch(url)).status).toBe(401);
  const unknown = cloud.operator.call('GET', '/plans/none/events');
  await expect(unknown).rejects.toMatchObject({ status: 404 });

  const authorization = `Authorization: Bearer ${cloud.running.token}`;
  const curl = spawn('curl', ['-sSN', '-i', '-H', authorization, url]);
  try {
    let text = '';
    curl.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
    await until(
      () => text,
      (found) => found.includes('event: snapshot'),
    );
    await cloud.operator.control(plan.id, 'suspend');
    await until(
      () => text,
      (found) => found.includes('event: change'),
    );
    expect(text).toMatch(/^content-type: text\/event-stream\r$/m);
    expect(text).toMatch(/event: change\nid: \d+\ndata: \{.*"state":"suspended".*\}\n\n/);
  } finally {
    const ended = once(curl, 'close');
    curl.kill();
    await ended;
  }
});

test('devices are served no slower while someone does not read what he follows', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull();
  const answer = await fetch(`${cloud.running.http}/api/v1/plans/${plan.id}/events`, {
    headers: { authorization: `Bearer ${cloud.running.token}` },
  });
  const operator = new Operator(cloud.running.http, cloud.running.token);
  for (let round = 0; round < 20; round++) {
    await operator.control(plan.id, 'suspend');
    await operator.control(plan.id, 'resume');
  }
  expect((await device.ask('GET', '')).status).toBe(200);
  await answer.body?.cancel();
});
