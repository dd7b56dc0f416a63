import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PortInfo } from '../../../shared/domain/bench.ts';

/** Lists the system's serial ports; when the system cannot tell, an empty list and why. Never throws. */
export async function listPorts(): Promise<{ ports: PortInfo[]; hint: string | null }> {
  try {
    const { SerialPort } = await import('serialport');
    const ports = await SerialPort.list();
    return {
      ports: ports.map((port) => ({
        path: port.path,
        label: [port.manufacturer, port.serialNumber].filter(Boolean).join(' ') || port.path,
        serialNumber: port.serialNumber ?? null,
        virtual: false,
      })),
      hint: null,
    };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const hint = /udevadm/.test(detail)
      ? 'Ports cannot be listed without udev: apt-get install udev.'
      : `Ports cannot be listed: ${detail}`;
    return { ports: [], hint };
  }
}

/** Links to ports by the id of their adapter, which stay when the ports are numbered anew; none where there are none. */
export async function namedPorts(folder = '/dev/serial/by-id'): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.toSorted().map((name) => join(folder, name));
}
