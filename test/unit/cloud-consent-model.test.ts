import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeDevice, until } from '../support/cloud.ts';
import { TestClock } from '../support/test-clock.ts';
import { HandHttpDevice } from '../support/hand-devices.ts';
import { TestCloud } from '../support/test-cloud.ts';

const times = {
  before: '2026-05-01T09:00Z',
  during: '2026-05-01T12:00Z',
  after: '2026-05-03T00:00Z',
} as const;
type Time = keyof typeof times;

/** What the plan and its one device should be, as quectel.md 1.5 and 1.8 say. */
interface Model {
  time: Time;
  plan: 'open' | 'suspended' | 'terminated' | 'ended';
  device: 'waiting' | 'confirmed' | 'begun' | 'failed' | 'upgraded';
  battery: number;
}

const isOpen = ({ plan }: Model): boolean => plan === 'open' || plan === 'suspended';
const mayBegin = (model: Model): boolean =>
  model.device === 'confirmed' &&
  model.plan !== 'suspended' &&
  model.battery >= 30 &&
  model.time !== 'before';
const isAsked = (model: Model): boolean =>
  model.device === 'waiting' &&
  model.plan === 'open' &&
  model.battery >= 30 &&
  model.time === 'during';

type Command =
  | { readonly kind: 'time'; readonly to: Time }
  | { readonly kind: 'battery'; readonly percent: number }
  | { readonly kind: 'suspend' | 'resume' | 'terminate' | 'restart' | 'begin' | 'finish' | 'fail' }
  | { readonly kind: 'confirm' | 'cancel' | 'retry' };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      to: fc.constantFrom<Time>('before', 'during', 'during', 'after'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('battery' as const),
      percent: fc.constantFrom(12, 80),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'confirm',
        'confirm',
        'begin',
        'begin',
        'fail',
        'finish',
        'cancel',
        'retry',
        'suspend',
        'resume',
        'resume',
        'restart',
        'terminate',
      ),
    }) as fc.Arbitrary<Command>,
  },
);

/** Takes what the cloud did; whether it was allowed is compared. */
function allowed(model: Model, kind: Command['kind']): boolean {
  switch (kind) {
    case 'confirm':
      return model.device === 'confirmed' || model.device === 'begun' || model.device === 'upgraded'
        ? true
        : model.device === 'waiting' && isOpen(model);
    case 'cancel':
      return (
        model.device === 'failed' ||
        (isOpen(model) && (model.device === 'waiting' || model.device === 'confirmed'))
      );
    case 'retry':
      return model.device === 'failed' && isOpen(model);
    default:
      return true;
  }
}

test('whatever comes in whatever order, a manual plan asks, begins and ends as it should', async () => {
  const clock = new TestClock({ at: times.before, isWorking: false });
  const cloud = await TestCloud.start(0, null, { clock, coapPort: null });
  let round = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 4, maxLength: 16 }), async (commands) => {
        const id = `dev-${++round}`;
        clock.set(times.before);
        await cloud.addDevices(makeDevice(id, { transport: 'http' }));
        const plan = await cloud.publishFull({
          mode: 'manual',
          upgradeTexts: { zh: '新', en: 'New' },
          timeZone: 'UTC',
          plannedTime: { start: '2026-05-01T10:00', end: '2026-05-02T10:00' },
          whitelist: [id],
          retries: 0,
        });
        const model: Model = { time: 'before', plan: 'open', device: 'waiting', battery: 80 };
        for (const one of commands) await step(cloud, clock, plan.id, id, model, one);
      }),
      { numRuns: 25 },
    );
  } finally {
    await cloud.stop();
  }
});

async function step(
  cloud: TestCloud,
  clock: TestClock,
  planId: string,
  id: string,
  model: Model,
  one: Command,
): Promise<void> {
  const device = () => new HandHttpDevice(cloud.running.http, id, cloud.secretOf(id));
  switch (one.kind) {
    case 'time':
      clock.set(times[one.to]);
      model.time = one.to;
      if (one.to === 'after' && isOpen(model)) model.plan = 'ended';
      break;
    case 'battery':
      await device().ask('PUT', '/configData', { data: { battery: String(one.percent) } });
      model.battery = one.percent;
      break;
    case 'restart':
      await cloud.close();
      await cloud.reopen();
      break;
    case 'suspend':
    case 'resume':
    case 'terminate':
      await control(cloud, planId, model, one.kind);
      break;
    case 'begin':
      if (!mayBegin(model)) break;
      await device().begin();
      model.device = 'begun';
      break;
    case 'finish':
      if (model.device !== 'begun') break;
      await device().runs('1.1.0');
      model.device = 'upgraded';
      if (isOpen(model)) model.plan = 'ended';
      break;
    case 'fail':
      if (model.device !== 'begun') break;
      await device().feedback((await device().begin()).href, 'closed', 'failure', '7');
      model.device = 'failed';
      break;
    default:
      await act(cloud, planId, id, model, one.kind);
  }
  await check(cloud, planId, id, model, device());
}

async function control(
  cloud: TestCloud,
  planId: string,
  model: Model,
  kind: 'suspend' | 'resume' | 'terminate',
): Promise<void> {
  const done = await cloud.operator.control(planId, kind).then(
    () => true,
    () => false,
  );
  expect(done, kind).toBe(isOpen(model) || (kind === 'terminate' && model.plan === 'terminated'));
  if (!done || model.plan === 'terminated') return;
  model.plan = ({ suspend: 'suspended', resume: 'open', terminate: 'terminated' } as const)[kind];
  if (kind === 'terminate' && model.device === 'waiting') model.device = 'failed';
}

async function act(
  cloud: TestCloud,
  planId: string,
  id: string,
  model: Model,
  kind: 'confirm' | 'cancel' | 'retry',
): Promise<void> {
  const done = await cloud.operator.call('POST', `/plans/${planId}/devices/${id}/${kind}`).then(
    () => true,
    () => false,
  );
  expect(done, kind).toBe(allowed(model, kind));
  if (!done) return;
  if (kind === 'confirm' && model.device === 'waiting') model.device = 'confirmed';
  else if (kind === 'cancel') model.device = 'failed';
  else if (kind === 'retry') model.device = 'confirmed';
}

const planStates = { suspended: 'suspended', terminated: 'terminated', ended: 'ended' } as const;
const deviceStates = {
  waiting: 'notUpgraded',
  confirmed: 'notUpgraded',
  begun: 'upgrading',
  failed: 'failed',
  upgraded: 'upgraded',
} as const;

async function check(
  cloud: TestCloud,
  planId: string,
  id: string,
  model: Model,
  device: HandHttpDevice,
): Promise<void> {
  const isAs = (state: string): boolean =>
    model.plan === 'open' ? /activated|upgrading/.test(state) : state === planStates[model.plan];
  await until(
    () => cloud.operator.status(planId),
    ({ state }) => isAs(state),
  );
  const [found] = await cloud.operator.devices(planId);
  expect(found).toMatchObject({ deviceId: id, state: deviceStates[model.device] });
  const { _links } = (await (await device.ask('GET', '')).json()) as { _links: object };
  expect(Object.hasOwn(_links, 'confirmationBase'), 'asked').toBe(isAsked(model));
  expect(Object.hasOwn(_links, 'deploymentBase'), 'has a job').toBe(
    mayBegin(model) || model.device === 'begun',
  );
}
