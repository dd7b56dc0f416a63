import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { must, output, root } from './run.mjs';

/** Each entry is one package, or several names of it of which the first known one is taken. */
const forTheWindow = [
  'xvfb',
  'xauth',
  ['libgtk-3-0', 'libgtk-3-0t64'],
  'libnss3',
  ['libasound2', 'libasound2t64'],
  'libgbm1',
  'libxss1',
  ['libatk-bridge2.0-0', 'libatk-bridge2.0-0t64'],
  ['libcups2', 'libcups2t64'],
  'udev',
  'fonts-dejavu-core',
  'socat',
];
const forTheTests = [
  'bsdiff',
  'xdelta3',
  'stm32flash',
  'avrdude',
  'arduino-core-avr',
  'lrzsz',
  // The machine that real U-Boot runs on: 76 MB unpacked, without what QEMU recommends.
  'qemu-system-arm',
  'u-boot-qemu',
  'dosfstools',
  'srecord',
  'u-boot-tools',
  'device-tree-compiler',
  'openssh-client',
  'openssl',
  'mosquitto',
  'mosquitto-clients',
  'curl',
  'libcoap3-bin',
  'swupdate',
  'cpio',
  'zip',
  'unzip',
  'xz-utils',
  'zstd',
  'file',
  'libarchive-tools',
  'binutils',
  'diffutils',
  'crust-firmware',
  'firmware-ath9k-htc',
  'firmware-microbit-micropython',
  'hackrf-firmware',
  'nxt-firmware',
  'opensbi',
  'python3',
  'python3-venv',
  // The LwM2M client of Eclipse Leshan runs on it, and its jars come from Maven Central.
  ['openjdk-17-jdk-headless', 'openjdk-21-jdk-headless', 'openjdk-25-jdk-headless'],
  'maven',
  // detools comes from PyPI as source with a part in C.
  'g++',
  'libc6-dev',
  'python3-dev',
  'time',
];

/** What the cloud is measured with. */
const forTheBenches = ['wrk'];

/** Packages whose files the tests read, without what they depend on: a whole compiler. */
const unpackedForTheTests = ['arduino-core-avr'];
/** As files only: the package would start a server. */
const unpackedForTheBenches = ['nginx'];
const unpackedFolder = join(root, 'test/artifacts/packages');

const installed = (name) =>
  output('dpkg-query', ['-W', '-f=${Status}', name])?.includes('install ok installed') ?? false;

/** Installs the Debian packages that are missing, saying so first; on other systems says what to install by hand. */
export async function installSystemPackages({ tests, benches = false }) {
  if (process.platform === 'darwin')
    return console.log('macOS: for the virtual board over a PTY run `brew install socat`.');
  if (process.platform === 'win32')
    return console.log('Windows: nothing else to install; the virtual board runs in the process.');
  if (!existsSync('/usr/bin/apt-get')) {
    return console.log(
      'This Linux has no apt-get: install GTK 3, NSS, ALSA, GBM, udev, socat and Xvfb by hand.',
    );
  }
  const wanted = [
    ...forTheWindow,
    ...(tests ? forTheTests : []),
    ...(benches ? forTheBenches : []),
  ];
  const missing = wanted.filter((entry) => ![entry].flat().some(installed));
  const packed = [
    ...(tests ? unpackedForTheTests : []),
    ...(benches ? unpackedForTheBenches : []),
  ].filter((name) => !existsSync(join(unpackedFolder, name)));
  if (missing.length === 0 && packed.length === 0) return;
  if (missing.length > 0) await install(missing);
  for (const name of packed) await unpack(name);
}

/** Lays the files of a package into a folder of the checkout. */
async function unpack(name) {
  console.log(`Unpacking system package ${name}`);
  const work = join(unpackedFolder, `${name}.tmp`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  await must('apt-get', ['download', '-qq', name], { cwd: work });
  const [file] = readdirSync(work);
  await must('dpkg-deb', ['-x', file, 'content'], { cwd: work });
  renameSync(join(work, 'content'), join(unpackedFolder, name));
  rmSync(work, { recursive: true, force: true });
}

async function install(missing) {
  const isRoot = process.getuid() === 0;
  if (!isRoot && output('which', ['sudo']) === null)
    throw new Error(
      `System packages are missing and there is no sudo; as root run: apt-get install ${missing.flat().join(' ')}`,
    );
  const apt = (...args) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return isRoot
      ? must('apt-get', args, { env })
      : must('sudo', ['DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args]);
  };
  console.log(
    `Installing system packages${isRoot ? '' : ' with sudo'}: ${missing.map((entry) => [entry].flat()[0]).join(' ')}`,
  );
  await apt('update', '-qq');
  const names = missing.map(
    (entry) =>
      [entry]
        .flat()
        .find((name) =>
          /Candidate: (?!\(none\))/.test(output('apt-cache', ['policy', name]) ?? ''),
        ) ?? [entry].flat()[0],
  );
  await apt('install', '-y', '-qq', '--no-install-recommends', ...names);
}
