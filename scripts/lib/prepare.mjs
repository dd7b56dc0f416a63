import { enableSandbox } from './chromium-sandbox.mjs';
import { installJavaPeers } from './java-peers.mjs';
import { installPythonPeers } from './python-peers.mjs';
import { must, tool } from './run.mjs';
import { fingerprint, unlessDone } from './stamp.mjs';
import { installSystemPackages } from './system-packages.mjs';

const oldestNode = [20, 19];

/** Everything a checkout needs before it runs: packages, system libraries, Electron. Skipped when nothing changed. */
export async function setUp({ tests = false, benches = false } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new Error(
      `Node ${process.versions.node} is too old; install Node ${oldestNode.join('.')} or newer.`,
    );
  }
  await unlessDone(
    'npm',
    fingerprint(['package-lock.json']),
    'node_modules/.package-lock.json',
    () => {
      console.log('Installing npm packages');
      // Not `npm ci`: it refuses lockfiles from registries that do not carry every other platform's optional packages.
      return must('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'], {
        shell: process.platform === 'win32',
      });
    },
  );
  await installSystemPackages({ tests, benches });
  if (tests) {
    await installPythonPeers();
    await installJavaPeers();
  }
  const { electronExecutable, installElectron } = await import('./electron-runtime.mjs');
  await installElectron();
  await enableSandbox(electronExecutable());
}

/** Builds dist/ unless it is of these very sources. */
export async function build() {
  const sources = fingerprint([
    'electron',
    'renderer',
    'shared',
    'electron.vite.config.ts',
    'package.json',
    'tsconfig.json',
  ]);
  await unlessDone('build', sources, 'dist/main/cli.js', () =>
    must(process.execPath, [tool('electron-vite'), 'build', '--logLevel', 'warn']),
  );
}
