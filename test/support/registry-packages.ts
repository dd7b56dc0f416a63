import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** One version of a package of a public registry. */
export interface RegistryPackage {
  readonly registry: 'debian' | 'debian-arm64' | 'npm' | 'pypi';
  readonly name: string;
  readonly version: string;
  /** Suite of Debian that has it; without one, those that the system knows. */
  readonly suite?: string;
}

/** Runs a program in a folder. */
export function run(cwd: string, command: string, ...args: string[]): void {
  execFileSync(command, args, { cwd, stdio: 'pipe', timeout: 300_000 });
}

/** Downloads a package file into an empty folder; its path. */
export function fetchPackage(pkg: RegistryPackage, work: string): string {
  const { registry, name, version, suite } = pkg;
  if (registry === 'npm') {
    run(work, 'npm', 'pack', '--silent', `${name}@${version}`);
  } else if (registry === 'pypi') {
    run(
      work,
      'python3',
      '-m',
      'pip',
      'download',
      '-q',
      '--no-deps',
      '-d',
      '.',
      `${name}==${version}`,
    );
  } else {
    const options = registry === 'debian' && !suite ? [] : aptOptions(suite);
    run(work, 'apt-get', ...options, 'download', '-qq', `${name}=${version}`);
  }
  const [file = ''] = readdirSync(work);
  return join(work, file);
}

/** Options under which apt-get knows the packages of arm64 and of another suite, without telling the system. */
function aptOptions(suite?: string): string[] {
  const state = resolve(`test/artifacts/corpus/apt-${suite ?? 'arm64'}`);
  const config = join(state, 'apt.conf');
  const options = ['-c', config];
  if (existsSync(config)) return options;
  mkdirSync(join(state, 'lists/partial'), { recursive: true });
  mkdirSync(join(state, 'cache/archives/partial'), { recursive: true });
  mkdirSync(join(state, 'parts'), { recursive: true });
  const archive = suite?.endsWith('-security') ? 'debian-security' : 'debian';
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  if (suite)
    writeFileSync(
      join(state, 'sources.list'),
      `deb [signed-by=${keys}] http://deb.debian.org/${archive} ${suite} main\n`,
    );
  writeFileSync(
    `${config}.tmp`,
    [
      'APT::Architecture "arm64";',
      'APT::Architectures { "arm64"; };',
      'APT::Sandbox::User "root";',
      `Dir::State::lists "${state}/lists";`,
      `Dir::State::status "/dev/null";`,
      `Dir::Cache "${state}/cache";`,
      ...(suite
        ? [
            `Dir::Etc::sourcelist "${state}/sources.list";`,
            `Dir::Etc::sourceparts "${state}/parts";`,
          ]
        : []),
      '',
    ].join('\n'),
  );
  run(state, 'apt-get', '-c', `${config}.tmp`, 'update', '-qq');
  renameSync(`${config}.tmp`, config);
  return options;
}
