import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ProblemError, problem } from '../../../shared/domain/problem.ts';
import { isProcessAlive } from '../process-alive.ts';
import { ChildEntry } from './child-entry.ts';
import { LocalCloud } from './local-cloud.ts';

const startTimeoutMs = 30_000;
/** How long a folder may be held by a cloud that is just starting or ending. */
const heldTimeoutMs = 15_000;
const heldPollMs = 150;

/** Where a cloud is, and the token that operates it. */
export interface CloudAddress {
  readonly http: string;
  readonly mqtt: string;
  /** LwM2M in the clear, and under DTLS; null when it is not served. */
  readonly coap: string | null;
  readonly coaps: string | null;
  readonly token: string;
}

/** What a running cloud writes into its data folder. */
const endpointSchema = z.object({
  http: z.string(),
  mqtt: z.string(),
  coap: z.string().nullable().default(null),
  coaps: z.string().nullable().default(null),
  pid: z.number().int().positive(),
});
const readySchema = z.object({
  ready: z.literal(true),
  http: z.string(),
  mqtt: z.string(),
  coap: z.string().nullable(),
  coaps: z.string().nullable(),
  operator: z.object({ token: z.string() }),
});
/** LwM2M has no port of its own to keep when it was not served. */
type Ports = readonly [http: string, mqtt: string, coap: string, coaps: string];
const anyPorts: Ports = ['0', '0', '0', '0'];

/** The embedded cloud of one data folder: joins the one that runs, or runs it. */
export class LocalCloudProcess {
  readonly #dataDir: string;
  readonly #onLine: (line: string) => void;
  #child: ChildEntry | null = null;
  #address: CloudAddress | null = null;
  #starting: Promise<CloudAddress> | null = null;
  /** Ports of the cloud that last ran: devices still look for it there. */
  #lastPorts: Ports | null = null;

  /** `onLine` hears what the cloud writes for its log. */
  constructor(options: { readonly dataDir: string; readonly onLine?: (line: string) => void }) {
    this.#dataDir = options.dataDir;
    this.#onLine = options.onLine ?? (() => undefined);
  }

  /** Starts the cloud unless it runs; calls at the same time share one start. @throws ProblemError */
  start(): Promise<CloudAddress> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  /** Whether a cloud runs that ends with this program. */
  get startedHere(): boolean {
    return this.#child?.running ?? false;
  }

  /** Finds a cloud that runs on the data folder, whoever started it; null when none does. */
  async attach(): Promise<CloudAddress | null> {
    if (this.#child?.running && this.#address) return this.#address;
    this.#address = await this.#findRunning();
    return this.#address;
  }

  /** Ends the cloud when it was started here; one that was only joined goes on. */
  async stop(): Promise<void> {
    await Promise.allSettled([this.#starting]);
    await this.#child?.end();
    this.#child = null;
    this.#address = null;
  }

  async #start(): Promise<CloudAddress> {
    const deadlineMs = Date.now() + heldTimeoutMs;
    let ports = this.#lastPorts;
    for (;;) {
      const running = await this.attach();
      if (running) return running;
      // Left by a cloud that was killed.
      ports ??= portsOf(await this.#readEndpoint());
      try {
        return await this.#spawn(ports ?? anyPorts);
      } catch (error) {
        if (error instanceof ProblemError && error.problem.code === 'data-in-use') {
          if (Date.now() > deadlineMs) throw error;
          await sleep(heldPollMs);
        } else if (ports) {
          return await this.#spawn(anyPorts);
        } else {
          throw error;
        }
      }
    }
  }

  #spawn([http, mqtt, coap, coaps]: Ports): Promise<CloudAddress> {
    const ports = ['--http', http, '--mqtt', mqtt, '--coap', coap, '--coaps', coaps];
    const args = ['--data', this.#dataDir, ...ports, '--with-parent'];
    return new Promise((done, fail) => {
      const child = new ChildEntry('cloud', args, {
        onMessage: (message) => {
          const ready = readySchema.safeParse(message);
          if (!ready.success) return;
          clearTimeout(timer);
          const { operator, ...endpoint } = ready.data;
          this.#lastPorts = portsOf(endpoint);
          this.#address = { ...addressesOf(endpoint), token: operator.token };
          done(this.#address);
        },
        onLine: this.#onLine,
        onEnd: () => {
          clearTimeout(timer);
          fail(child.failure);
          if (this.#child !== child) return;
          this.#child = null;
          this.#address = null;
        },
      });
      this.#child = child;
      const timer = setTimeout(() => {
        fail(startTimeout());
        void child.end();
      }, startTimeoutMs);
    });
  }

  async #findRunning(): Promise<CloudAddress | null> {
    const endpoint = await this.#readEndpoint();
    if (!endpoint || !isProcessAlive(endpoint.pid)) return null;
    try {
      const token = (await readFile(join(this.#dataDir, 'operator-token'), 'utf8')).trim();
      await new LocalCloud({ http: endpoint.http, token }).check();
      this.#lastPorts = portsOf(endpoint);
      return { ...addressesOf(endpoint), token };
    } catch (error) {
      // Another program got the number of a killed cloud, or its port: there is none to join.
      if (error instanceof ProblemError || isMissing(error)) return null;
      throw error;
    }
  }

  async #readEndpoint(): Promise<z.infer<typeof endpointSchema> | null> {
    try {
      const text = await readFile(join(this.#dataDir, 'endpoint.json'), 'utf8');
      return endpointSchema.safeParse(JSON.parse(text)).data ?? null;
    } catch (error) {
      if (isMissing(error) || error instanceof SyntaxError) return null;
      throw error;
    }
  }
}

type Addresses = Omit<CloudAddress, 'token'>;

const addressesOf = ({ http, mqtt, coap, coaps }: Addresses): Addresses => ({
  http,
  mqtt,
  coap,
  coaps,
});

function portsOf(endpoint: Addresses | null): Ports | null {
  if (!endpoint) return null;
  const portOf = (url: string): string => (URL.canParse(url) ? new URL(url).port : '');
  const [http, mqtt] = [portOf(endpoint.http), portOf(endpoint.mqtt)];
  const [coap, coaps] = [portOf(endpoint.coap ?? ''), portOf(endpoint.coaps ?? '')];
  return http && mqtt ? [http, mqtt, coap || '0', coaps || '0'] : null;
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function startTimeout(): ProblemError {
  return problem(
    'cloud-start-timeout',
    'The local cloud did not start',
    `It was not ready within ${startTimeoutMs / 1000} s.`,
    'Try again; if it repeats, look into the log.',
  );
}
