import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import {
  type Answer,
  contract,
  type Input,
  type Method,
  type Output,
  type StudioEvent,
} from '../../shared/contract/contract.ts';
import type { FileSoFar } from '../../shared/domain/finding.ts';
import type { PlanChange } from '../../shared/domain/plan.ts';
import { type Problem, problem, toProblem } from '../../shared/domain/problem.ts';
import { BoardMemories } from './bench/connection/board-memories.ts';
import { Connections } from './bench/connection/connections.ts';
import { Consoles } from './bench/console/consoles.ts';
import { rememberByUsbId } from './bench/console/find-again.ts';
import { type ListPorts, listSystemPorts } from './bench/ports.ts';
import { VirtualBoards } from './bench/virtual-boards.ts';
import { ImageDiffs } from './delta/image-diffs.ts';
import { type Handlers, makeHandlers, type Rooms } from './handlers.ts';
import { Jobs } from './jobs/jobs.ts';
import { Log } from './log.ts';
import type { Workspace } from './workspace/workspace.ts';

/** How to open a studio. */
export interface StudioOptions {
  /** Folder with `slipway.yaml`; null for work on single files. */
  readonly workspacePath: string | null;
  /** Turns a file reference into a path: granted handles in the window, paths on the command line. */
  readonly resolveFile?: (ref: string, access: 'read' | 'write') => string;
  readonly version?: string;
  /** Of the account with which to operate the local cloud; its owner's without it. */
  readonly operatorToken?: string | undefined;
  /** The serial ports of the system, unless something else knows them. */
  readonly listPorts?: ListPorts;
}

/** The engine behind every door. */
export interface Studio {
  /** Validates by the contract and answers with a value or a problem; never throws. */
  call(method: string, input: unknown): Promise<Answer<unknown>>;
  /** Like {@link Studio.call}, typed, throwing ProblemError: for the CLI and tests. */
  ask<M extends Method>(method: M, input: Input<M>): Promise<Output<M>>;
  subscribe(listener: (event: StudioEvent) => void): () => void;
  readonly boards: VirtualBoards;
  close(): Promise<void>;
}

/** Composes the services of one workspace. @throws ProblemError when the workspace cannot be opened */
export async function createStudio(options: StudioOptions): Promise<Studio> {
  const workspace =
    options.workspacePath === null ? null : await openWorkspace(options.workspacePath);
  const listeners = new Set<(event: StudioEvent) => void>();
  let seq = 0;
  const publish = (
    event:
      | { type: 'job'; job: Output<'jobs.list'>[number] }
      | { type: 'file-so-far'; jobId: string; file: FileSoFar }
      | { type: 'log'; entry: Output<'log.tail'>[number] }
      | { type: 'plan'; planId: string; change: PlanChange },
  ): void => {
    const numbered = { ...event, seq: ++seq } as StudioEvent;
    for (const listener of listeners) listener(numbered);
  };
  const log = new Log(workspace?.internal('logs') ?? null, (entry) =>
    publish({ type: 'log', entry }),
  );
  const jobs = new Jobs(
    (job) => publish({ type: 'job', job }),
    (jobId, file) => publish({ type: 'file-so-far', jobId, file }),
  );
  const boards = new VirtualBoards();
  const diffs = new ImageDiffs();
  const listPorts = options.listPorts ?? listSystemPorts;
  const consoles = new Consoles(boards.opener(), rememberByUsbId(listPorts));
  const connections = new Connections({
    consoles,
    memories: new BoardMemories(workspace),
    listPorts,
    openLink: boards.opener(),
  });
  const onPlan = (planId: string, change: PlanChange): void =>
    publish({ type: 'plan', planId, change });
  const rooms = workspace && (await furnish(workspace, log, onPlan, options.operatorToken ?? null));
  const handlers: Handlers = makeHandlers({
    rooms,
    boards,
    diffs,
    consoles,
    connections,
    listPorts,
    jobs,
    log,
    resolveFile: options.resolveFile ?? ((ref) => ref),
    version: options.version ?? '0.0.0',
    scratchFolder: workspace?.internal('recordings') ?? join(tmpdir(), 'slipway-recordings'),
  });

  const run = async (method: Method, input: unknown): Promise<unknown> => {
    const door = contract[method];
    const parsed = door.input.safeParse(input);
    if (!parsed.success)
      throw problem(
        'bad-request',
        'The request is not valid',
        `${method}: ${z.prettifyError(parsed.error)}`,
        'Correct the named field.',
        'usage',
      );
    const handle = handlers[method] as (
      input: unknown,
      context: Parameters<Handlers['bundle.inspect']>[1],
    ) => Promise<unknown>;
    if (door.type === 'call')
      return handle(parsed.data, {
        signal: new AbortController().signal,
        onProgress: () => undefined,
      });
    const jobId = 'jobId' in parsed.data ? parsed.data.jobId : undefined;
    return jobs.run(
      method,
      jobTitle(method, parsed.data),
      (context) => handle(parsed.data, context),
      jobId,
    );
  };

  const answer = async (method: string, input: unknown): Promise<Answer<unknown>> => {
    try {
      if (!Object.hasOwn(contract, method))
        throw problem(
          'bad-request',
          'No such call',
          `${method} is not part of the contract.`,
          'Use a call of this version.',
          'usage',
        );
      return { ok: true, value: await run(method as Method, input) };
    } catch (error) {
      const failure: Problem = toProblem(error);
      log.write(
        logLevel(failure),
        method.split('.')[0] ?? 'app',
        `${failure.title}: ${failure.detail}`,
        { code: failure.code },
      );
      return { ok: false, error: failure };
    }
  };

  log.write(
    'info',
    'app',
    workspace ? `Workspace ${workspace.name} opened` : 'Studio opened without a workspace',
  );
  return {
    call: answer,
    boards,
    async ask(method, input) {
      return (await run(method, input)) as never;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      jobs.cancelAll();
      rooms?.follower.follow(null);
      try {
        await consoles.closeAll();
      } finally {
        await boards.closeAll();
        await diffs.closeAll();
        await rooms?.clouds.stop();
        workspace?.close();
      }
    },
  };
}

// What needs a workspace is loaded with it, so that work on single files starts at once.
const openWorkspace = async (path: string): Promise<Workspace> =>
  (await import('./workspace/workspace.ts')).Workspace.open(path);

async function furnish(
  workspace: Workspace,
  log: Log,
  onPlan: (planId: string, change: PlanChange) => void,
  operatorToken: string | null,
): Promise<Rooms> {
  const [{ CloudService }, { PlanFollower }, { PlanService }, verification] = await Promise.all([
    import('./clouds/cloud-service.ts'),
    import('./clouds/plan-follower.ts'),
    import('./plan/plan-service.ts'),
    import('./plan/verification-service.ts'),
  ]);
  const onLine = (room: string, line: string): void => log.write('warn', room, line);
  const clouds = new CloudService(workspace, onLine, operatorToken);
  const follower = new PlanFollower(() => clouds.running(), onPlan);
  const plans = new PlanService(workspace, () => clouds.connect());
  const verifications = new verification.VerificationService(workspace, plans, () =>
    clouds.connect(),
  );
  return { workspace, clouds, plans, verifications, follower };
}

function logLevel(failure: Problem): 'info' | 'warn' | 'error' {
  if (failure.code === 'cancelled') return 'info';
  return failure.kind === 'internal' ? 'error' : 'warn';
}

/** Several boards are flashed at once: their jobs are told apart by the port. */
function jobTitle(method: Method, input: object): string {
  const title = jobTitles[method] ?? method;
  return method === 'bench.flash' && 'port' in input ? `${title} ${String(input.port)}` : title;
}

const jobTitles: Partial<Record<Method, string>> = {
  'bundle.inspect': 'Inspect files',
  'bundle.create': 'Create version package',
  'bundle.verify': 'Verify version package',
  'formats.test': 'Test a format',
  'delta.create': 'Make delta package',
  'delta.make': 'Make delta',
  'delta.apply': 'Apply delta',
  'delta.inspect': 'Explain delta',
  'delta.matrix': 'Measure deltas',
  'delta.accept': 'Record vendor delta',
  'delta.diff': 'Compare images',
  'delta.operations': 'Map delta',
  'bench.flash': 'Flash board',
  'bench.resume': 'Go on flashing',
  'cloud.start': 'Start the local cloud',
  'cloud.backup': 'Back up the cloud',
  'cloud.restore': 'Restore the cloud',
  'devices.import': 'Import devices',
  'fleet.start': 'Start simulated devices',
  'plans.publish': 'Publish plan',
  'plans.dryRun': 'Dry run of the plan',
  'verifications.start': 'Verify on one device',
  'evidence.export': 'Export evidence',
  'evidence.verify': 'Verify evidence',
};
