import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VirtualBoards } from '../../electron/core/bench/virtual-boards.ts';
import type { Connection } from '../../shared/domain/connection.ts';
import { inspectView, openReleasesWindow, type StudioWindow } from '../support/studio-window.ts';

let studio: StudioWindow;
let page: Page;
const boards = new VirtualBoards();
beforeAll(async () => {
  studio = await openReleasesWindow();
  ({ page } = studio);
  await page.getByTestId('view-bench').click();
});
afterAll(async () => {
  await studio?.close();
  await boards.closeAll();
});

const text = () => page.getByTestId('reset-text');

async function template(name: RegExp): Promise<void> {
  await page.getByRole('combobox', { name: 'Reset sequence' }).click();
  await page.getByRole('option', { name }).click();
}

test('help is opened from the row of a board; a template is tried and shows what the board says', async () => {
  await page.getByRole('combobox', { name: 'Kind of virtual board' }).click();
  await page.getByRole('option', { name: 'ESP32' }).click();
  await page.getByTestId('start-virtual').click();
  await page.getByLabel('Help with the connection of virtual:esp32-1').click();
  await page.getByTestId('advice-none').waitFor();
  await text().fill('dtr=0 rts=1; wait 20ms; rts=0');
  await page.getByTestId('reset-try').click();
  await page.getByTestId('reset-trial').getByText('rst:0x').waitFor();
  await inspectView(page, 'connection-trial');
  await template(/two transistors/);
  expect(await text().inputValue()).toBe('dtr=0 rts=1; wait 100ms; dtr=1 rts=0; wait 50ms; dtr=0');
  await page.getByTestId('reset-try').click();
  await page.getByText('the board said nothing within a second').waitFor();
});

test('a wrong step is shown with its place, and neither tried nor saved', async () => {
  await text().fill('dtr=1 rts=0; wait 100; dtr=0');
  await page.getByText('Character 14: A wait has a number and ms or s').waitFor();
  expect(await page.getByTestId('reset-editor').locator('mark').textContent()).toBe('wait 100');
  expect(await page.getByTestId('reset-try').isDisabled()).toBe(true);
  expect(await page.getByTestId('reset-save').isDisabled()).toBe(true);
  await inspectView(page, 'connection-fault');
});

test('a sequence that is saved for a board is there when the board is chosen again', async () => {
  await template(/Arduino/);
  await page.getByTestId('reset-save').click();
  await page.getByText('every flash of virtual:esp32-1 begins with it').waitFor();
  await page.getByTestId('connection-port').fill('');
  await page.getByText('Choose a port, or type the path').waitFor();
  await page.getByTestId('connection-port').fill('virtual:esp32-1');
  await expect
    .poll(() => text().inputValue())
    .toBe('dtr=0 rts=0; wait 50ms; dtr=1 rts=1; wait 100ms');
});

test('a path that the system does not list is helped with as well', async () => {
  const port = join(studio.folder, 'pty');
  await page.getByTestId('connection-port').fill(port);
  await page.getByTestId('advice-not-found').waitFor();
  await boards.start('stm32', { linkPath: port });
  await page.getByRole('button', { name: 'Look again' }).click();
  await page.getByTestId('advice-none').waitFor();
  await template(/wired directly/);
  await page.getByTestId('reset-try').click();
  await page.getByText('This port has no modem lines').waitFor();
});

test('a flash that nothing answers offers the help', async () => {
  await page.getByTestId('bench-part').getByText('Runs').click();
  await page.getByLabel(/Virtual ESP32 board/).uncheck();
  await page.getByLabel('Path of the port').fill('/dev/no-such-port');
  await page.getByTestId('flash').click();
  await page.getByRole('button', { name: 'Help with the connection', exact: true }).click();
  await page.getByTestId('advice-not-found').getByText('/dev/no-such-port').waitFor();
});

/** What the engine tells of an adapter that cannot be plugged in here. */
const troubled: Omit<Connection, 'port'> = {
  board: 'serial number FT4X1',
  memory: { baud: { wished: 115_200, worked: 57_600 }, roundTripMs: 15.6 },
  advice: [
    {
      id: 'no-permission',
      tone: 'bad',
      title: 'This user may not open the port',
      detail:
        '/dev/ttyUSB0 belongs to the group dialout. Join the group and sign in again, or save the rule and plug the board in again.',
      command: 'sudo usermod -aG dialout "$USER"',
      rule: {
        path: '/etc/udev/rules.d/60-slipway.rules',
        text: 'SUBSYSTEM=="tty", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6001", TAG+="uaccess"\n',
      },
    },
    {
      id: 'latency-timer',
      tone: 'warn',
      title: 'The adapter holds answers back',
      detail: 'An answer took 15.6 ms beside its time on the wire; the adapter waits up to 16 ms.',
      command: 'echo 1 | sudo tee /sys/bus/usb-serial/devices/ttyUSB0/latency_timer',
      rule: null,
    },
  ],
};

test('advice comes with a command to copy and a rule to save', async () => {
  const out = join(studio.folder, '60-slipway.rules');
  await studio.app.evaluate(({ ipcMain }, told) => {
    interface Internals {
      readonly _invokeHandlers: Map<string, (event: unknown, raw: { method: string }) => unknown>;
    }
    const handlers = (ipcMain as unknown as Internals)._invokeHandlers;
    const engine = handlers.get('slipway:call');
    handlers.set('slipway:call', (event, raw) =>
      raw.method === 'bench.connection'
        ? { ok: true, value: { port: '/dev/ttyUSB0', ...told } }
        : engine?.(event, raw),
    );
  }, troubled);
  await page.getByTestId('connection-port').fill('/dev/ttyUSB0');
  const card = page.getByTestId('advice-no-permission');
  await card.getByText('sudo usermod -aG dialout').waitFor();
  await page.getByTestId('connection-speed').getByText('57600 worked').waitFor();
  await card.getByRole('button', { name: 'Copy' }).first().click();
  await card.getByText(/Copied|refused/).waitFor();
  await inspectView(page, 'connection-advice');
  // Here is no such adapter, and the engine says so instead of writing an empty rule.
  await studio.answerSaveDialog(out);
  await card.getByRole('button', { name: 'Save…' }).click();
  await page.getByRole('alert').getByText('There is no rule to save').waitFor();
  await expect(readFile(out)).rejects.toThrow();
});

test('nothing broke the content security policy or complained in the console', () => {
  expect(studio.complaints).toEqual([]);
});
