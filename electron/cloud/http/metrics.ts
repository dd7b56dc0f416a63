import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { DtlsServer } from '../../coap/dtls/dtls-server.ts';
import type { CloudDatabase } from '../store/database.ts';

/** Buckets in seconds: a commit is a disk sync, from fast flash to a busy disk. */
const commitBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** How many devices are connected now, by protocol. */
export interface LiveConnections {
  /** Null with an external broker, which alone knows. */
  readonly mqtt: () => number | null;
  /** Null when LwM2M is not served. */
  readonly lwm2m: () => number | null;
}

/**
 * What the cloud tells Prometheus: counts and times, never an id of a device. Figures of plans and
 * devices are read from the database when they are asked for, so carrying them costs nothing.
 */
export class CloudMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<'method' | 'route' | 'status'>;

  /** The server of LwM2M under DTLS, once it serves. */
  dtls: DtlsServer | null = null;

  /** Set once devices are served. */
  connections: LiveConnections = { mqtt: () => null, lwm2m: () => null };

  constructor(db: CloudDatabase) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Counter({
      name: 'slipway_http_requests_total',
      help: 'HTTP requests answered, by route and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    });
    const commits = new Histogram({
      name: 'slipway_commit_seconds',
      help: 'Time of a commit to disk; one commit holds the writes of many devices.',
      buckets: commitBuckets,
      registers,
    });
    db.onCommit((tookMs) => commits.observe(tookMs / 1000));
    addGauge(registers, 'slipway_devices', 'Devices known, by transport.', ['transport'], {
      rows: db.prepare(
        'SELECT transport, count(*) AS value FROM devices WHERE removed_at IS NULL GROUP BY transport',
      ),
    });
    addGauge(registers, 'slipway_plans', 'Plans, by state.', ['state'], {
      rows: db.prepare('SELECT state, count(*) AS value FROM plans GROUP BY state'),
    });
    addGauge(
      registers,
      'slipway_plan_devices',
      'Devices of the plans that are not over, by state.',
      ['plan', 'state'],
      {
        rows: db.prepare(
          `SELECT plan_id AS plan, rollout.state AS state, count(*) AS value
           FROM rollout JOIN plans ON plans.id = plan_id
           WHERE plans.state NOT IN ('ended', 'terminated') GROUP BY plan_id, rollout.state`,
        ),
      },
    );
    const connected = new Gauge({
      name: 'slipway_connected_devices',
      help: 'Devices connected over MQTT, or registered over LwM2M, now.',
      labelNames: ['protocol'],
      registers,
      collect: () => {
        for (const protocol of ['mqtt', 'lwm2m'] as const) {
          const value = this.connections[protocol]();
          if (value !== null) connected.set({ protocol }, value);
        }
      },
    });
    this.#addDtls(registers);
  }

  /** Counts a request. */
  answered(method: string, route: string, status: number): void {
    this.#requests.inc({ method, route, status });
  }

  /** Counts every request that `app` answers, and answers `GET /metrics`. */
  serve(app: FastifyInstance): void {
    app.addHook('onResponse', async (request, reply) => {
      this.answered(request.method, request.routeOptions.url ?? 'none', reply.statusCode);
    });
    app.get('/metrics', async (_request, reply) => {
      void reply.type(this.#registry.contentType);
      return this.#registry.metrics();
    });
  }

  #addDtls(registers: Registry[]): void {
    const sessions = new Gauge({
      name: 'slipway_dtls_sessions',
      help: 'DTLS sessions of LwM2M devices, and handshakes under way, now.',
      labelNames: ['state'],
      registers,
      collect: () => {
        if (!this.dtls) return;
        sessions.set({ state: 'established' }, this.dtls.sessions);
        sessions.set({ state: 'handshake' }, this.dtls.handshakes);
      },
    });
    const handshakes = new Counter({
      name: 'slipway_dtls_handshakes_total',
      help: 'DTLS handshakes that have ended, by what came of them.',
      labelNames: ['result'],
      registers,
      collect: () => {
        if (!this.dtls) return;
        handshakes.reset();
        handshakes.inc({ result: 'established' }, this.dtls.counts.handshakes);
        for (const [result, count] of this.dtls.counts.failures) handshakes.inc({ result }, count);
      },
    });
    const dropped = new Counter({
      name: 'slipway_dtls_dropped_records_total',
      help: 'DTLS records that were dropped, by reason.',
      labelNames: ['reason'],
      registers,
      collect: () => {
        dropped.reset();
        for (const [reason, count] of this.dtls?.counts.droppedRecords ?? [])
          dropped.inc({ reason }, count);
      },
    });
  }
}

/** A gauge whose values are the rows of a query: a column for each label, and `value`. */
function addGauge(
  registers: Registry[],
  name: string,
  help: string,
  labelNames: readonly string[],
  { rows }: { readonly rows: { all(): unknown[] } },
): void {
  const gauge = new Gauge({
    name,
    help,
    labelNames,
    registers,
    collect() {
      gauge.reset();
      for (const row of rows.all() as Record<string, string | number>[]) {
        const labels = Object.fromEntries(labelNames.map((label) => [label, String(row[label])]));
        gauge.set(labels, Number(row.value));
      }
    },
  });
}
