import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Debian keeps servers in sbin, which is not on everyone's path; names are told as UTF-8, also where no locale is set. */
const env = { ...process.env, LC_ALL: 'C.UTF-8', PATH: `${process.env.PATH}:/usr/sbin` };

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of another project; one that is missing says how to install it. */
export function peer(name: string, args: readonly string[], debian = name): Promise<Outcome> {
  return outcomeOf(name, args, missing(name, debian));
}

/** Runs a program that set-up has installed from PyPI, or `python` itself with these packages. */
export function pythonPeer(name: string, args: readonly string[]): Promise<Outcome> {
  const hint = new Error(`${name} is missing: npm run setup -- --tests`);
  return outcomeOf(join('.peers/python/bin', name), args, hint);
}

/**
 * Starts a program of one source file on the jars that set-up has installed from Maven Central. Only
 * those that are pinned by their SHA-256 are on its class path. It should end when its input does.
 */
export async function javaPeer(
  project: string,
  source: string,
  args: readonly string[],
): Promise<ChildProcess> {
  const folder = join('.peers/java', project);
  const pinned = await readFile(join('test/support', project, 'jars.sha256'), 'utf8');
  const jars = [...pinned.matchAll(/ (\S+\.jar)$/gm)].map(([, name]) => join(folder, name ?? ''));
  if (!jars.every((jar) => existsSync(jar)))
    throw new Error(`The jars of ${project} are missing: npm run setup -- --tests`);
  const path = ['-cp', jars.join(':'), join('test/support', project, source)];
  // A program that runs for seconds is not worth the second compiler.
  const child = spawn('java', ['-XX:TieredStopAtLevel=1', ...path, ...args], {
    stdio: 'pipe',
  });
  await new Promise<void>((done, fail) => {
    child.once('spawn', done);
    child.once('error', () => fail(missing('java', 'openjdk-17-jdk-headless')));
  });
  return child;
}

async function outcomeOf(
  command: string,
  args: readonly string[],
  whenMissing: Error,
): Promise<Outcome> {
  try {
    return { code: 0, ...(await run(command, [...args], { env, timeout: 60_000 })) };
  } catch (error) {
    const failed = error as { code: number | string; stdout: string; stderr: string };
    if (failed.code === 'ENOENT') throw whenMissing;
    return { code: Number(failed.code), stdout: failed.stdout, stderr: failed.stderr };
  }
}

/** The error that says how to install a program. */
export function missing(name: string, debian: string): Error {
  return new Error(`${name} is missing: apt-get install ${debian}`);
}

/** `mosquitto_sub` as a device's ears: each line is one message. */
export class MosquittoSub {
  readonly #child: ChildProcess;
  readonly lines: string[] = [];
  stderr = '';

  constructor(args: readonly string[]) {
    this.#child = spawn('mosquitto_sub', [...args], { env });
    let rest = '';
    this.#child.stdout?.on('data', (text: Buffer) => {
      const parts = `${rest}${text.toString()}`.split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.stderr += text.toString();
    });
    this.#child.once('error', () => {
      this.stderr = missing('mosquitto_sub', 'mosquitto-clients').message;
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((done) => this.#child.once('close', done));
    this.#child.kill();
    await ended;
  }
}

/** A mosquitto broker of its own, with logins and the access list that the documentation recommends. */
export class MosquittoBroker {
  readonly url: string;
  #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, folder: string, child: ChildProcess) {
    this.url = url;
    this.#folder = folder;
    this.#child = child;
  }

  static async start(logins: Readonly<Record<string, string>>): Promise<MosquittoBroker> {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-mosquitto-'));
    const passwords = join(folder, 'passwords');
    await writeFile(passwords, '', { mode: 0o600 });
    for (const [name, password] of Object.entries(logins)) {
      const made = await peer('mosquitto_passwd', ['-b', passwords, name, password], 'mosquitto');
      if (made.code !== 0) throw new Error(made.stderr);
    }
    const list = join(folder, 'access');
    await writeFile(list, accessList, { mode: 0o600 });
    return MosquittoBroker.#run(folder, [
      'allow_anonymous false',
      `password_file ${passwords}`,
      `acl_file ${list}`,
    ]);
  }

  /** A broker that lets everyone in and drops nothing, to be measured. */
  static async startOpen(): Promise<MosquittoBroker> {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-mosquitto-'));
    const unlimited = ['max_queued_messages 0', 'max_inflight_messages 0'];
    return MosquittoBroker.#run(folder, ['allow_anonymous true', ...unlimited]);
  }

  static async #run(folder: string, rules: readonly string[]): Promise<MosquittoBroker> {
    const port = await freePort();
    const user = process.getuid?.() === 0 ? ['user root'] : [];
    const lines = [...user, `listener ${port} 127.0.0.1`, ...rules];
    await writeFile(join(folder, 'mosquitto.conf'), `${lines.join('\n')}\n`);
    return new MosquittoBroker(`mqtt://127.0.0.1:${port}`, folder, await runMosquitto(folder));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Kills it, with everything that it remembered, and starts it at the same address. */
  async crash(): Promise<void> {
    await this.#end('SIGKILL');
    this.#child = await runMosquitto(this.#folder);
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ended = new Promise((done) => this.#child.once('close', done));
    this.#child.kill(signal);
    await ended;
  }
}

async function runMosquitto(folder: string): Promise<ChildProcess> {
  const child = spawn('mosquitto', ['-c', join(folder, 'mosquitto.conf')], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise<void>((done, fail) => {
    child.once('error', () => fail(missing('mosquitto', 'mosquitto')));
    child.once('close', (code) => fail(new Error(`mosquitto ended with ${code}`)));
    child.stderr?.on('data', (text: Buffer) => {
      if (text.toString().includes('running')) done();
    });
  });
  return child;
}

const accessList = `user slipway
topic read ota/v1/+/get
topic read ota/v1/+/status
topic write ota/v1/+/job

pattern write ota/v1/%u/get
pattern write ota/v1/%u/status
pattern read ota/v1/%u/job
`;

/** A TCP port that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
