import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { must, output } from './run.mjs';

/** Kernel switches that keep user namespaces, the usual way into Chromium's sandbox, from normal programs. */
const namespaceSwitches = [
  ['/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '1'],
  ['/proc/sys/kernel/unprivileged_userns_clone', '0'],
];

/** Whether this system (Ubuntu 23.10 and newer, some hardened Debians) refuses user namespaces. */
function refusesNamespaces() {
  return namespaceSwitches.some(([path, refusing]) => {
    try {
      return readFileSync(path, 'utf8').trim() === refusing;
    } catch {
      return false;
    }
  });
}

/** Where user namespaces are refused, lets Chromium use its set-uid helper instead of giving up the sandbox. */
export async function enableSandbox(electronPath) {
  if (process.platform !== 'linux' || process.getuid() === 0 || !refusesNamespaces()) return;
  const helper = join(dirname(electronPath), 'chrome-sandbox');
  const { uid, mode } = statSync(helper);
  if (uid === 0 && (mode & 0o4000) !== 0) return;
  const commands = [
    ['chown', 'root:root', helper],
    ['chmod', '4755', helper],
  ];
  if (output('which', ['sudo']) === null)
    throw new Error(
      `Chromium's sandbox needs its helper owned by root; as root run: ${commands.map((command) => command.join(' ')).join(' && ')}`,
    );
  console.log(`Giving Chromium's sandbox helper to root with sudo: ${helper}`);
  for (const command of commands) await must('sudo', command);
}
