import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Closer, openDatabase, openParts } from '../../electron/cloud/open-parts.ts';
import type { CloudParts } from '../../electron/cloud/types.ts';
import { brokenRule, dealStages, isGateMet, type StageTally } from '../../shared/domain/stages.ts';
import { stagesSchema, stopRulesSchema } from '../../shared/domain/plan-stages.ts';
import { sha256 } from '../../electron/files/sha256.ts';
import { componentId, makeDevice, makePackage, makePlan, productId } from '../support/cloud.ts';
import { TestClock } from '../support/test-clock.ts';

const deviceCount = 9;
const silentMin = 30;
const soakMin = 20;
const stages = stagesSchema.parse([
  { upToCount: 3, soakMinutes: soakMin, successPercent: 34, finishedPercent: 100 },
  { upToCount: 5, soakMinutes: 0, successPercent: 75, finishedPercent: 75, hold: true },
  {},
]);
const stopRules = stopRulesSchema.parse({
  failurePercent: 66,
  minFinished: 3,
  failureCount: 4,
  silentAfterMinutes: silentMin,
});
const cohortSeed = 'model';
const places = dealStages(
  Array.from({ length: deviceCount }, (_, at) => `DEV-${at}`),
  cohortSeed,
  stages,
  sha256,
);
/** Those of the first stage first. */
const ids = [...places.keys()].sort(
  (one, other) => (places.get(one) ?? 0) - (places.get(other) ?? 0),
);
const person = { name: 'Ada Byron', reason: 'seen on the bench' };

/** What should be, worked out anew from the devices each time. */
class Model {
  readonly devices = new Map(
    ids.map((id) => [
      id,
      {
        stage: places.get(id) ?? -1,
        state: 'waiting',
        askedMin: -1,
        silent: false,
        accepted: false,
      },
    ]),
  );
  readonly heardMin = new Map<string, number>();
  nowMin = 0;
  state: 'active' | 'suspended' | 'ended' = 'active';
  open = 1;
  gateMetMin: number | null = null;
  stops = 0;
  isStopOpen = false;

  of(id: string) {
    const device = this.devices.get(id);
    if (!device) throw new Error(id);
    return device;
  }

  isDone = (id: string): boolean => ['failed', 'upgraded'].includes(this.of(id).state);

  mayHaveJob(id: string): boolean {
    const { state, stage } = this.of(id);
    if (this.isDone(id)) return false;
    return state === 'begun' || (this.state === 'active' && stage < this.open);
  }

  tally(stage: number): StageTally {
    const of = [...this.devices.values()].filter((device) => device.stage === stage);
    const count = (test: (device: (typeof of)[number]) => boolean) => of.filter(test).length;
    return {
      devices: of.length,
      upgraded: count(({ state }) => state === 'upgraded'),
      failed: count(({ state, accepted }) => state === 'failed' && !accepted),
      silent: count(({ silent, accepted }) => silent && !accepted),
      accepted: count(({ state, silent, accepted }) => accepted && (silent || state === 'failed')),
      noUpdateRequired: 0,
    };
  }

  ended(id: string, state: 'failed' | 'upgraded'): void {
    Object.assign(this.of(id), { state, silent: false });
    if (ids.every(this.isDone)) this.state = 'ended';
    this.evaluate();
  }

  tick(): void {
    for (const [id, device] of this.devices) {
      const lastMin = Math.max(device.askedMin, this.heardMin.get(id) ?? 0);
      const isQuiet = this.nowMin - lastMin >= silentMin;
      if (device.silent) device.silent = isQuiet;
      else
        device.silent =
          this.state !== 'ended' &&
          !this.isDone(id) &&
          device.askedMin >= 0 &&
          (device.state === 'begun' || this.state === 'active') &&
          isQuiet;
    }
    this.evaluate();
  }

  evaluate(): void {
    if (this.state !== 'active') return;
    const tallies = stages.map((_, at) => this.tally(at)).slice(0, this.open);
    if (brokenRule(stopRules, tallies)) {
      this.state = 'suspended';
      this.stops++;
      this.isStopOpen = true;
      return;
    }
    while (this.open < stages.length) {
      const rule = stages[this.open - 1];
      if (!rule || !isGateMet(rule, this.tally(this.open - 1))) {
        this.gateMetMin = null;
        return;
      }
      this.gateMetMin ??= this.nowMin;
      if (this.nowMin - this.gateMetMin < rule.soakMinutes || rule.hold) return;
      this.opened();
    }
  }

  opened(): void {
    this.open++;
    this.gateMetMin = null;
  }
}

type Command =
  | {
      readonly kind: 'poll' | 'begin' | 'upgrade' | 'break' | 'succeed' | 'fail' | 'contact';
      readonly device: number;
    }
  | { readonly kind: 'turn' | 'jump'; readonly minutes: number }
  | { readonly kind: 'suspend' | 'resume' | 'accept' | 'next' | 'restart' };

/** Mostly of the first stages, or nothing would ever open. */
const device = fc.oneof(fc.nat(2), fc.nat(4), fc.nat(deviceCount - 1));
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('poll' as const), device }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('begin' as const), device }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('succeed' as const), device }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('fail' as const), device }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('upgrade' as const), device }) },
    { weight: 7, arbitrary: fc.record({ kind: fc.constant('break' as const), device }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('contact' as const), device }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('turn' as const),
        minutes: fc.constantFrom(1, 19, 31, 31),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('jump' as const),
        minutes: fc.constantFrom(-9999, 9999),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...(['suspend', 'next'] as const)).map((kind) => ({ kind })),
    },
    {
      weight: 4,
      arbitrary: fc.constantFrom(...(['resume', 'accept'] as const)).map((kind) => ({ kind })),
    },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  ),
  { minLength: 15, maxLength: 80, size: 'max' },
);

/** The real engine and database on a folder; each device remembers the jobs it was given, those long over too. */
class Rollout {
  readonly clock = new TestClock({ isWorking: false });
  readonly plan = makePlan('pkg', { retries: 0, stages, stopRules, cohortSeed });
  readonly jobs = new Map<string, number[]>();
  readonly #folder: string;
  readonly #closers: Closer[] = [];
  parts!: CloudParts;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<Rollout> {
    const rollout = new Rollout(await mkdtemp(join(tmpdir(), 'slipway-model-')));
    await rollout.open();
    const { parts, plan } = rollout;
    await parts.devices.putProduct(productId, productId);
    await parts.devices.put(
      ids.map((id) => makeDevice(id)),
      false,
    );
    for (const id of ids) await parts.engine.reportVersions(id, { [componentId]: '1.0.0' }, 'mqtt');
    const bytes = randomBytes(10);
    const artifact = { name: 'a.bin', sizeBytes: bytes.length, sha256: sha256(bytes) };
    await parts.packages.put(makePackage({ id: 'pkg' }), artifact);
    await parts.packages.receiveArtifact('pkg', [bytes] as unknown as AsyncIterable<Buffer>);
    await parts.plans.publish(plan, { chinaTelecomIccidPrefixes: [] });
    return rollout;
  }

  async open(): Promise<void> {
    const db = openDatabase(join(this.#folder, 'cloud.db'));
    this.#closers.push(() => db.close());
    const { clock } = this;
    const cloud = { db, dataDir: this.#folder, token: 'token', clock, keepDays: 400 };
    this.parts = await openParts(cloud, this.#closers);
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.splice(0).reverse()) await closer();
  }

  async end(): Promise<void> {
    await this.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const refused = (code: string) => ({ problem: expect.objectContaining({ code }) });

async function run(rollout: Rollout, model: Model, command: Command): Promise<void> {
  const { plan } = rollout;
  const { engine, plans, guard, devices } = rollout.parts;
  const id = 'device' in command ? (ids[command.device] ?? '') : '';
  const known = rollout.jobs.get(id) ?? [];
  switch (command.kind) {
    case 'poll': {
      devices.seen(id);
      model.heardMin.set(id, model.nowMin);
      const job = await engine.offer(id);
      expect(job !== null, `a job for ${id}`).toBe(model.mayHaveJob(id));
      if (!job) return;
      // Asking again gives the same job, and nobody ever has two.
      expect((await engine.offer(id))?.actionId).toBe(job.actionId);
      if (known.at(-1) === job.actionId) return;
      rollout.jobs.set(id, [...known, job.actionId]);
      model.of(id).askedMin = model.nowMin;
      return;
    }
    case 'begin': {
      const [actionId] = known;
      if (actionId === undefined) return;
      const begun = await engine.begin(id, actionId);
      if (model.isDone(id)) expect(begun).toBe('gone');
      else if (model.of(id).state === 'waiting' && model.state !== 'active')
        expect(begun).toBe('withheld');
      else {
        expect(begun).toMatchObject({ actionId });
        if (model.of(id).state === 'waiting')
          Object.assign(model.of(id), { state: 'begun', silent: false });
      }
      return;
    }
    case 'succeed':
    case 'fail': {
      const [actionId] = known;
      if (actionId === undefined) return;
      const report =
        command.kind === 'fail'
          ? ({ kind: 'failed', code: 'E1' } as const)
          : ({ kind: 'succeeded', version: '1.1.0', protocol: 'mqtt' } as const);
      model.heardMin.set(id, model.nowMin);
      const wasDone = model.isDone(id);
      // Told twice at once, as a broker may deliver it.
      const outcomes = await Promise.all([
        engine.report(id, actionId, report),
        engine.report(id, actionId, report),
      ]);
      if (!wasDone) {
        expect(outcomes[0]).toBe('accepted');
        model.ended(id, command.kind === 'fail' ? 'failed' : 'upgraded');
      } else if (command.kind === 'fail') expect(outcomes).toEqual(['gone', 'gone']);
      return;
    }
    case 'upgrade':
    case 'break': {
      const steps = ['poll', 'begin', command.kind === 'break' ? 'fail' : 'succeed'] as const;
      for (const kind of steps) await run(rollout, model, { kind, device: command.device });
      return;
    }
    case 'contact':
      devices.seen(id);
      model.heardMin.set(id, model.nowMin);
      return;
    case 'turn':
      rollout.clock.turn(command.minutes);
      model.nowMin += command.minutes;
      await guard.tick();
      model.tick();
      return;
    case 'jump':
      rollout.clock.jump(command.minutes);
      await guard.tick();
      model.tick();
      return;
    case 'suspend':
      if (model.state === 'ended')
        await expect(plans.control(plan.id, 'suspend')).rejects.toMatchObject(
          refused('plan-state'),
        );
      else await plans.control(plan.id, 'suspend');
      if (model.state === 'active') model.state = 'suspended';
      return;
    case 'resume':
    case 'accept': {
      const accepted = command.kind === 'accept' ? person : null;
      const asked = plans.control(plan.id, 'resume', accepted);
      if (model.state === 'ended') await expect(asked).rejects.toMatchObject(refused('plan-state'));
      else if (model.state === 'active') await asked;
      else if (model.isStopOpen && !accepted)
        await expect(asked).rejects.toMatchObject(refused('stop-not-accepted'));
      else if (!model.isStopOpen && accepted)
        await expect(asked).rejects.toMatchObject(refused('nothing-to-accept'));
      else {
        await asked;
        model.state = 'active';
        model.isStopOpen = false;
        if (accepted)
          for (const one of model.devices.values())
            if (one.silent || one.state === 'failed') one.accepted = true;
        model.evaluate();
      }
      return;
    }
    case 'next': {
      const asked = guard.openStage(plan.id, model.open + 1, person);
      if (model.open === stages.length)
        await expect(asked).rejects.toMatchObject(refused('last-stage'));
      else if (model.state !== 'active')
        await expect(asked).rejects.toMatchObject(refused('plan-state'));
      else {
        await asked;
        model.opened();
        model.evaluate();
      }
      return;
    }
    case 'restart':
      await rollout.close();
      await rollout.open();
      return;
  }
}

function compare({ parts, plan }: Rollout, model: Model): void {
  const status = parts.plans.status(plan.id);
  const state =
    status.state === 'upgrading' || status.state === 'activated' ? 'active' : status.state;
  expect(state).toBe(model.state);
  expect(status.stops?.length).toBe(model.stops);
  expect(status.stops?.some(({ resumed }) => resumed === null)).toBe(model.isStopOpen);
  expect(status.stages?.filter((stage) => stage.state !== 'closed').length).toBe(model.open);
  for (const [at, stage] of (status.stages ?? []).entries()) {
    const { noUpdateRequired: _none, ...tally } = model.tally(at);
    expect(stage).toMatchObject(tally);
  }
  const rows = parts.rollout.list(plan.id, { offset: 0, limit: 100, state: '', search: '' });
  expect(rows.items).toHaveLength(deviceCount);
  for (const row of rows.items) {
    const { state: wanted, silent, accepted } = model.of(row.deviceId);
    const words = {
      waiting: 'notUpgraded',
      begun: 'upgrading',
      failed: 'failed',
      upgraded: 'upgraded',
    };
    expect(row.stage).toBe((places.get(row.deviceId) ?? -1) + 1);
    expect(row.state, row.deviceId).toBe(words[wanted as keyof typeof words]);
    expect(row.silent ?? false, row.deviceId).toBe(silent);
    expect(row.accepted ?? false).toBe(accepted && (silent || wanted === 'failed'));
  }
}

test('stages and stop rules do what their model says, whatever is lost, doubled, late or restarted', async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (list) => {
      const rollout = await Rollout.start();
      const model = new Model();
      try {
        for (const command of list) {
          await run(rollout, model, command);
          compare(rollout, model);
        }
      } finally {
        await rollout.end();
      }
    }),
    { numRuns: 40 },
  );
}, 120_000);
