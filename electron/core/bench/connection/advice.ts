import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { Advice } from '../../../../shared/domain/connection.ts';
import { portHolders } from '../port-holders.ts';
import { groupName, type PortFacts, portFacts, type SystemRoots } from './port-facts.ts';

/** Above this, waiting for answers takes more time than the answers. */
const slowRoundTripMs = 8;

/** What is asked about a port: more than its path only where it is not the system that answers. */
export interface PortQuestion {
  readonly path: string;
  readonly roots: SystemRoots;
  /** Of the last flash on this port; null before one. */
  readonly roundTripMs: number | null;
  /** Whether this user may open the port; the system's answer unless given. */
  readonly mayOpen?: (path: string) => Promise<boolean>;
}

/** Everything that may keep the board at a port from answering, the worst first; nothing for virtual boards. */
export async function adviceFor(question: PortQuestion): Promise<readonly Advice[]> {
  const { path, roots, roundTripMs, mayOpen = mayOpenPort } = question;
  if (path.startsWith('virtual:') || process.platform === 'win32') return [];
  const info = await stat(path).catch(() => null);
  if (!info) return [notFound(path)];
  const facts = await portFacts(path, roots);
  const isAllowed = await mayOpen(path);
  const group = isAllowed ? null : await groupName(info.gid, roots);
  const holders = portHolders(path, roots.proc);
  return [
    ...(isAllowed ? [] : [noPermission(path, facts, group)]),
    ...(holders.length > 0 ? [busy(path, holders)] : []),
    ...(facts.probingManager === null ? [] : [modemManager(facts, facts.probingManager)]),
    ...(roundTripMs !== null && roundTripMs > slowRoundTripMs && (facts.latencyTimerMs ?? 0) > 1
      ? [latencyTimer(facts, roundTripMs)]
      : []),
  ];
}

// Not by opening it: that would assert DTR, which resets many boards.
const mayOpenPort = (path: string): Promise<boolean> =>
  access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'EACCES' && error.code !== 'EPERM',
  );

const notFound = (path: string): Advice => ({
  id: 'not-found',
  tone: 'bad',
  title: 'There is no such port',
  detail: `${path} does not exist. Check the cable, or choose one of the ports that are listed; links in /dev/serial/by-id keep their names.`,
  command: null,
  rule: null,
});

const noPermission = (path: string, facts: PortFacts, group: string | null): Advice => ({
  id: 'no-permission',
  tone: 'bad',
  title: 'This user may not open the port',
  detail: `${path} belongs to ${group === null ? 'another user' : `the group ${group}`}. Join the group and sign in again, or save the rule and plug the board in again.`,
  command: `sudo usermod -aG ${group ?? 'dialout'} "$USER"`,
  rule: {
    // Before 73-seat-late.rules, which acts on the tag.
    path: '/etc/udev/rules.d/60-slipway.rules',
    text: `SUBSYSTEM=="tty", ${matchOf(facts)}, TAG+="uaccess"\n`,
  },
});

const busy = (path: string, holders: readonly string[]): Advice => ({
  id: 'busy',
  tone: 'bad',
  title: 'Another program holds the port',
  detail: `${path} is held by ${holders.join(', ')}. Close it first.`,
  command: null,
  rule: null,
});

const modemManager = (facts: PortFacts, processId: number): Advice => ({
  id: 'modem-manager',
  tone: 'warn',
  title: 'ModemManager may speak to this port',
  detail: `ModemManager (${processId}) sends AT commands to new USB ports for up to half a minute, which bootloaders take for nonsense. Save the rule, reload the rules and plug the board in again.`,
  command: 'sudo udevadm control --reload',
  rule: {
    path: '/etc/udev/rules.d/60-slipway-modemmanager.rules',
    text: `SUBSYSTEM=="tty", ${matchOf(facts)}, ENV{ID_MM_DEVICE_IGNORE}="1", ENV{ID_MM_PORT_IGNORE}="1"\n`,
  },
});

const latencyTimer = ({ name, latencyTimerMs }: PortFacts, roundTripMs: number): Advice => ({
  id: 'latency-timer',
  tone: 'warn',
  title: 'The adapter holds answers back',
  detail: `An answer took ${roundTripMs.toFixed(1)} ms beside its time on the wire; the adapter waits up to ${latencyTimerMs} ms before it sends. With 1 ms boards are flashed up to twice as fast.`,
  command: `echo 1 | sudo tee /sys/bus/usb-serial/devices/${name}/latency_timer`,
  rule: {
    path: '/etc/udev/rules.d/60-slipway-latency.rules',
    text: 'ACTION=="add", SUBSYSTEM=="usb-serial", DRIVER=="ftdi_sio", ATTR{latency_timer}="1"\n',
  },
});

const matchOf = ({ name, usb }: PortFacts): string =>
  usb
    ? `ATTRS{idVendor}=="${usb.vendorId}", ATTRS{idProduct}=="${usb.productId}"`
    : `KERNEL=="${name}"`;
