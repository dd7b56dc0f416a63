import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adviceFor } from '../../electron/core/bench/connection/advice.ts';
import { portFacts, type SystemRoots } from '../../electron/core/bench/connection/port-facts.ts';
import { namedPorts } from '../../electron/core/bench/ports.ts';

let folder: string;
let roots: SystemRoots;
let path: string;

async function put(name: string, text: string): Promise<void> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** An FTDI adapter at ttyUSB7 as Linux tells of it, on a system where ModemManager runs. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-sysfs-'));
  roots = {
    sys: join(folder, 'sys'),
    proc: join(folder, 'proc'),
    run: join(folder, 'run'),
    etc: join(folder, 'etc'),
  };
  const usb = 'sys/devices/usb1/1-2';
  await put(`${usb}/idVendor`, '0403\n');
  await put(`${usb}/idProduct`, '6001\n');
  await put(`${usb}/1-2:1.0/ttyUSB7/latency_timer`, '16\n');
  await put('sys/class/tty/ttyUSB7/dev', '188:7\n');
  await symlink(join(folder, usb, '1-2:1.0/ttyUSB7'), join(folder, 'sys/class/tty/ttyUSB7/device'));
  await put('proc/812/comm', 'ModemManager\n');
  await put('proc/813/comm', 'bash\n');
  await put('etc/group', `lab:x:${process.getgid?.() ?? 0}:\n`);
  path = join(folder, 'dev/ttyUSB7');
  await put('dev/ttyUSB7', '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const advise = (more: Partial<Parameters<typeof adviceFor>[0]> = {}) =>
  adviceFor({ path, roots, roundTripMs: null, ...more });
const ids = async (more: Partial<Parameters<typeof adviceFor>[0]> = {}) =>
  (await advise(more)).map(({ id }) => id);

test('the system’s facts of a port are read also through a link to it', async () => {
  const link = join(folder, 'dev/by-id');
  await symlink(path, link);
  expect(await portFacts(link, roots)).toEqual({
    name: 'ttyUSB7',
    usb: { vendorId: '0403', productId: '6001' },
    latencyTimerMs: 16,
    probingManager: 812,
  });
  expect(await portFacts(join(folder, 'dev/ttyS9'), roots)).toEqual({
    name: 'ttyS9',
    usb: null,
    latencyTimerMs: null,
    probingManager: null,
  });
});

test('ModemManager is warned of with a rule for exactly this adapter, until a rule keeps it off', async () => {
  const [advice] = await advise();
  expect(advice).toMatchObject({ id: 'modem-manager', tone: 'warn' });
  expect(advice?.rule?.text).toBe(
    'SUBSYSTEM=="tty", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6001", ENV{ID_MM_DEVICE_IGNORE}="1", ENV{ID_MM_PORT_IGNORE}="1"\n',
  );
  await put('run/udev/data/c188:7', 'S:serial/by-id/x\nE:ID_MM_DEVICE_IGNORE=1\n');
  expect(await ids()).toEqual([]);
  await put('run/udev/data/c188:7', 'E:ID_MM_DEVICE_IGNORE=0\n');
  expect(await ids()).toEqual(['modem-manager']);
  await put('run/udev/data/c188:7', 'E:ID_MM_PORT_IGNORE=1\n');
});

test('slow answers of an FTDI adapter are explained by its latency timer', async () => {
  expect(await ids({ roundTripMs: 8 })).toEqual([]);
  const [advice] = await advise({ roundTripMs: 15.4 });
  expect(advice).toMatchObject({
    id: 'latency-timer',
    command: 'echo 1 | sudo tee /sys/bus/usb-serial/devices/ttyUSB7/latency_timer',
  });
  expect(advice?.detail).toContain('15.4 ms');
  await put('sys/devices/usb1/1-2/1-2:1.0/ttyUSB7/latency_timer', '1\n');
  expect(await ids({ roundTripMs: 15.4 })).toEqual([]);
});

test('a port that this user may not open is told with its group, a command and a rule', async () => {
  const [advice] = await advise({ mayOpen: async () => false });
  expect(advice).toMatchObject({
    id: 'no-permission',
    tone: 'bad',
    command: 'sudo usermod -aG lab "$USER"',
    rule: { path: '/etc/udev/rules.d/60-slipway.rules' },
  });
  expect(advice?.rule?.text).toContain('TAG+="uaccess"');
});

test('who holds the port is named', async () => {
  await put('proc/900/comm', 'minicom\n');
  await mkdir(join(folder, 'proc/900/fd'));
  await symlink(path, join(folder, 'proc/900/fd/3'));
  const [advice] = await advise();
  expect(advice).toMatchObject({ id: 'busy', tone: 'bad' });
  expect(advice?.detail).toContain('held by minicom (900)');
  await rm(join(folder, 'proc/900'), { recursive: true });
});

test('a port that is not there is told as nothing else; a virtual board needs no advice', async () => {
  expect(await ids({ path: join(folder, 'dev/ttyUSB8') })).toEqual(['not-found']);
  expect(await ids({ path: 'virtual:stm32-1' })).toEqual([]);
});

test('links by the id of the adapter are offered where there are any', async () => {
  await put('dev/serial/by-id/usb-B', '');
  await put('dev/serial/by-id/usb-A', '');
  const links = await namedPorts(join(folder, 'dev/serial/by-id'));
  expect(links.map((link) => link.split('/').at(-1))).toEqual(['usb-A', 'usb-B']);
  expect(await namedPorts(join(folder, 'dev/none'))).toEqual([]);
  expect(await readFile(path, 'utf8')).toBe('');
});
