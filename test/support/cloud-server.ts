import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHttpServer } from '../../electron/cloud/http/server.ts';
import { PlanHistory } from '../../electron/cloud/plans/history.ts';
import { PlanService } from '../../electron/cloud/plans/plan-service.ts';
import { RolloutEngine } from '../../electron/cloud/plans/rollout-engine.ts';
import { RolloutStore } from '../../electron/cloud/plans/rollout-store.ts';
import { ArtifactStore } from '../../electron/cloud/store/artifact-store.ts';
import { CloudDatabase } from '../../electron/cloud/store/database.ts';
import { DeviceStore } from '../../electron/cloud/store/devices.ts';
import { PackageStore } from '../../electron/cloud/store/packages.ts';

/** The HTTP side of a cloud in this process, on a folder of its own. */
export interface CloudServer {
  readonly http: string;
  readonly token: string;
  close(): Promise<void>;
}

export async function startCloudServer(): Promise<CloudServer> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-cloud-'));
  const token = 'a-token-that-is-long-enough-for-operators';
  const db = new CloudDatabase(join(folder, 'cloud.db'));
  const devices = new DeviceStore(db);
  const artifacts = await ArtifactStore.open(join(folder, 'artifacts'));
  const packages = new PackageStore(db, artifacts);
  const history = new PlanHistory(db);
  const plans = new PlanService(db, devices, packages, history);
  const rollout = new RolloutStore(db);
  const engine = new RolloutEngine({ db, devices, packages, plans, rollout, history });
  const parts = { devices, packages, artifacts, plans, rollout, history, engine };
  const server = createHttpServer(parts, token);
  await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    http: `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    token,
    async close() {
      await server.close();
      await history.close();
      await devices.close();
      db.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
