import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Where Linux tells of its devices and processes; others in tests. */
export interface SystemRoots {
  readonly sys: string;
  readonly proc: string;
  readonly run: string;
  readonly etc: string;
}

export const systemRoots: SystemRoots = { sys: '/sys', proc: '/proc', run: '/run', etc: '/etc' };

/** What Linux knows of a serial port beside its name. */
export interface PortFacts {
  /** For example `ttyUSB0`, whatever link it was named by. */
  readonly name: string;
  readonly usb: { readonly vendorId: string; readonly productId: string } | null;
  /** How long an FTDI adapter waits before it sends an answer that does not fill a packet. */
  readonly latencyTimerMs: number | null;
  /** Process id of a ModemManager that may open the port to look for a modem. */
  readonly probingManager: number | null;
}

/** Reads what the system tells of a port; what it does not tell is null. */
export async function portFacts(path: string, roots: SystemRoots): Promise<PortFacts> {
  const name = basename(await realpath(path).catch(() => path));
  const device = join(roots.sys, 'class/tty', name, 'device');
  const usb = await usbIds(device);
  const timer = Number((await told(join(device, 'latency_timer'))) ?? Number.NaN);
  const manager = usb && !(await isIgnored(name, roots)) ? await managerOf(roots) : null;
  return {
    name,
    usb,
    latencyTimerMs: Number.isFinite(timer) ? timer : null,
    probingManager: manager,
  };
}

/** The group that may use a port, by its number; null when it has no name. */
export async function groupName(id: number, roots: SystemRoots): Promise<string | null> {
  const lines = ((await told(join(roots.etc, 'group'))) ?? '').split('\n');
  return lines.map((line) => line.split(':')).find(([, , gid]) => Number(gid) === id)?.[0] ?? null;
}

/** The ids of the USB device that a serial port is a part of. */
async function usbIds(device: string): Promise<PortFacts['usb']> {
  let folder = await realpath(device).catch(() => null);
  for (let up = 0; folder !== null && up < 4; up++, folder = dirname(folder)) {
    const [vendorId, productId] = await Promise.all([
      told(join(folder, 'idVendor')),
      told(join(folder, 'idProduct')),
    ]);
    if (vendorId && productId) return { vendorId, productId };
  }
  return null;
}

/** Whether a udev rule keeps ModemManager off the port or its device. */
async function isIgnored(name: string, { sys, run }: SystemRoots): Promise<boolean> {
  const number = await told(join(sys, 'class/tty', name, 'dev'));
  const properties = number && (await told(join(run, 'udev/data', `c${number}`)));
  return /^E:ID_MM_(DEVICE|PORT)_IGNORE=1$/m.test(properties ?? '');
}

async function managerOf({ proc }: SystemRoots): Promise<number | null> {
  const ids = (await readdir(proc).catch(() => [])).filter((entry) => /^\d+$/.test(entry));
  for (const id of ids)
    if ((await told(join(proc, id, 'comm'))) === 'ModemManager') return Number(id);
  return null;
}

const told = (path: string): Promise<string | null> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
