import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CloudProcess,
  Operator,
  componentId,
  makeDevice,
  makePlan,
  until,
  jobIdOf,
} from '../support/cloud.ts';
import { freePort, missing } from '../support/peers.ts';
import { median } from './measure.ts';
import { cpuBetween, usage } from './process-usage.ts';

const run = promisify(execFile);
/** Unpacked by set-up: as an installed package it would serve port 80. */
const nginxProgram = 'test/artifacts/packages/nginx/usr/sbin/nginx';
const secondsPerRun = 3;
const runsEach = 3;

/** How fast a server was, median of the runs. */
export interface ServerRate {
  readonly bytesPerSec: number;
  /** Bytes for each second of its CPU time, which other work on the machine disturbs less; null without /proc. */
  readonly bytesPerCpuSec: number | null;
}

/** Both servers under the same load, in turns. */
export interface ArtifactRun {
  readonly sizeBytes: number;
  readonly cloud: ServerRate;
  readonly nginx: ServerRate;
}

interface Served {
  readonly url: string;
  readonly header: string;
}

/** Downloads the same artifact from the cloud, as a device with its secret, and from nginx, over kept connections. */
export async function loadArtifacts(sizeBytes: number, connections: number): Promise<ArtifactRun> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-artifact-'));
  const bytes = randomBytes(sizeBytes);
  const cloud = CloudProcess.spawn(['--data', join(folder, 'cloud'), '--http', '0', '--mqtt', '0']);
  const nginx = await Nginx.serve(join(folder, 'nginx'), bytes);
  try {
    const ofCloud = await artifactOf(cloud, bytes);
    const ofNginx = { url: nginx.url, header: ofCloud.header };
    const rates: { cloud: ServerRate[]; nginx: ServerRate[] } = { cloud: [], nginx: [] };
    for (let turn = 0; turn < runsEach; turn++) {
      rates.cloud.push(await download(ofCloud, connections, cloud.child.pid ?? 0));
      rates.nginx.push(await download(ofNginx, connections, nginx.pid));
    }
    return { sizeBytes, cloud: middle(rates.cloud), nginx: middle(rates.nginx) };
  } finally {
    await nginx.stop();
    await cloud.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The address of a device's job in an open plan, and what the device proves itself with. */
async function artifactOf(cloud: CloudProcess, bytes: Buffer): Promise<Served> {
  const { http, operator } = await cloud.ready();
  const asOperator = new Operator(http, operator.token);
  const device = makeDevice('dev-0', { transport: 'http', versions: { [componentId]: '1.0.0' } });
  const { [device.id]: secret } = await asOperator.putDevices([device]);
  await asOperator.publish(makePlan(await asOperator.putPackage(bytes)));
  const header = `Authorization: TargetToken ${secret}`;
  const answer = await fetch(`${http}/default/controller/v1/${device.id}`, {
    headers: { authorization: `TargetToken ${secret}` },
  });
  const { _links } = (await answer.json()) as { _links: { deploymentBase: { href: string } } };
  return { url: `${http}/a/${jobIdOf(_links.deploymentBase.href)}`, header };
}

function middle(rates: readonly ServerRate[]): ServerRate {
  const perCpuSec = rates.flatMap(({ bytesPerCpuSec }) => bytesPerCpuSec ?? []);
  return {
    bytesPerSec: median(rates.map(({ bytesPerSec }) => bytesPerSec)),
    bytesPerCpuSec: perCpuSec.length === 0 ? null : median(perCpuSec),
  };
}

/** What wrk got from the process; every answer has to be a success. */
async function download(
  { url, header }: Served,
  connections: number,
  pid: number,
): Promise<ServerRate> {
  const before = usage(pid);
  const args = ['-t1', `-c${connections}`, `-d${secondsPerRun}s`, '--timeout', '30s', '-H', header];
  const { stdout } = await run('wrk', [...args, url]).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? missing('wrk', 'wrk') : error;
  });
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}: ${stdout}`);
  const [, value = '', unit = ''] = /Transfer\/sec:\s+([\d.]+)(K|M|G)?B/.exec(stdout) ?? [];
  const unitBytes = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[unit];
  if (unitBytes === undefined || value === '') throw new Error(`wrk said: ${stdout}`);
  const bytesPerSec = Number(value) * unitBytes;
  const cpuMs = cpuBetween(before, usage(pid));
  const servedBytes = bytesPerSec * secondsPerRun;
  return { bytesPerSec, bytesPerCpuSec: cpuMs === null ? null : (servedBytes * 1000) / cpuMs };
}

/** nginx as Debian ships it, in one process and with sendfile. */
class Nginx {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  static async serve(folder: string, bytes: Buffer): Promise<Nginx> {
    if (!existsSync(nginxProgram))
      throw new Error(`nginx is missing: run npm run bench:rollout, which unpacks it`);
    for (const name of ['www', 'logs']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'www/artifact.bin'), bytes);
    const port = await freePort();
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr;
       ${process.getuid?.() === 0 ? 'user root;' : ''} events { worker_connections 4096; }
       http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
         ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
         server { listen 127.0.0.1:${port}; root ${folder}/www; } }`,
    );
    const config = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
    const child = spawn(nginxProgram, config, { stdio: ['ignore', 'ignore', 'inherit'] });
    const url = `http://127.0.0.1:${port}/artifact.bin`;
    await until(
      () =>
        fetch(url, { method: 'HEAD' })
          .then(({ ok }) => ok)
          .catch(() => false),
      (isServed) => isServed,
    );
    return new Nginx(url, child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#child.once('close', done));
    this.#child.kill('SIGTERM');
    await ended;
  }
}
