import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ArtifactStore } from '../store/artifact-store.ts';
import type { CloudDatabase } from '../store/database.ts';
import type { DeviceStore } from '../store/devices.ts';
import type { ArtifactFile } from '../store/packages.ts';
import { artifactAnswer } from './artifact-reply.ts';
import type { CloudMetrics } from './metrics.ts';

/** So many are remembered at most: what devices fetch at a time. */
const mostGrants = 20_000;

interface Grant {
  readonly deviceId: string;
  readonly artifact: ArtifactFile;
  /** As the metrics name it. */
  readonly route: string;
}

/**
 * Answers ahead of the framework what it has allowed before: modems fetch an artifact in many ranges.
 * Who may download what is in the database alone, so that a grant is as true as when it was given until
 * the next commit. The bytes come from memory; when they are not there, the framework answers.
 */
export class RepeatedDownloads {
  readonly #db: CloudDatabase;
  readonly #devices: DeviceStore;
  readonly #artifacts: ArtifactStore;
  readonly #metrics: CloudMetrics;
  readonly #grants = new Map<string, Grant>();
  #commits = 0;

  constructor(parts: {
    readonly db: CloudDatabase;
    readonly devices: DeviceStore;
    readonly artifacts: ArtifactStore;
    readonly metrics: CloudMetrics;
  }) {
    this.#db = parts.db;
    this.#devices = parts.devices;
    this.#artifacts = parts.artifacts;
    this.#metrics = parts.metrics;
  }

  /** Where the database is; to be asked before it is found out whether a download is allowed. */
  get commits(): number {
    return this.#db.commits;
  }

  /** Remembers what `request` was allowed, unless there was a commit since. */
  allow(request: Pick<IncomingMessage, 'url' | 'headers'>, commits: number, grant: Grant): void {
    if (commits !== this.#db.commits) return;
    if (commits !== this.#commits || this.#grants.size >= mostGrants) this.#grants.clear();
    this.#commits = commits;
    this.#grants.set(keyOf(request), grant);
  }

  /** False when the request is for the framework; it has not been touched then. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const { method } = request;
    if (this.#commits !== this.#db.commits || (method !== 'GET' && method !== 'HEAD')) return false;
    const grant = this.#grants.get(keyOf(request));
    const bytes = grant && this.#artifacts.held(grant.artifact.sha256);
    if (!bytes) return false;
    this.#devices.heard(grant.deviceId);
    const { status, headers, body } = artifactAnswer(request, grant.artifact);
    response.writeHead(status, headers);
    response.end(body ? bytes.subarray(body.start, body.end + 1) : undefined);
    this.#metrics.answered(method, grant.route, status);
    return true;
  }
}

function keyOf({ url, headers }: Pick<IncomingMessage, 'url' | 'headers'>): string {
  return `${url} ${headers.authorization}`;
}
