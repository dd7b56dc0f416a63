import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { PortInfo } from '../../../shared/domain/bench.ts';

/** The ports of the system, and why they cannot be listed when they cannot. */
interface ListedPorts {
  readonly ports: readonly PortInfo[];
  readonly hint: string | null;
}
export type ListPorts = () => Promise<ListedPorts>;

/** Where a board is plugged in, whatever the path is called at the moment. */
export type UsbPlace = Pick<PortInfo, 'usbId' | 'usbInterface'>;

/** Lists the system's serial ports; when the system cannot tell, an empty list and why. Never throws. */
export const listSystemPorts: ListPorts = async () => {
  try {
    const { SerialPort } = await import('serialport');
    const ports = await SerialPort.list();
    return {
      ports: ports.map((port) => ({
        path: port.path,
        label: [port.manufacturer, port.serialNumber].filter(Boolean).join(' ') || port.path,
        serialNumber: port.serialNumber ?? null,
        virtual: false,
        usbId: usbIdOf(port),
        usbInterface: /-if(\d\d)/.exec(port.pnpId ?? '')?.[1] ?? null,
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
};

function usbIdOf(port: {
  readonly vendorId?: string | undefined;
  readonly productId?: string | undefined;
  readonly serialNumber?: string | undefined;
}): string | null {
  const { vendorId, productId, serialNumber } = port;
  if (!vendorId || !productId || !serialNumber) return null;
  return `usb:${vendorId}:${productId}:`.toLowerCase() + serialNumber;
}

const isAt = (port: PortInfo, place: UsbPlace): boolean =>
  port.usbId != null &&
  port.usbId === place.usbId &&
  (port.usbInterface ?? null) === (place.usbInterface ?? null);

/** Takes away USB serial numbers that two devices share, as cheap adapters do: they tell no board from another. */
export function withoutSharedIds(ports: readonly PortInfo[]): readonly PortInfo[] {
  return ports.map((port) =>
    ports.filter((other) => isAt(other, port)).length > 1 ? { ...port, usbId: null } : port,
  );
}

/** The port at a path, also by another name of the same device file; null when it is not listed. */
export async function portAt(list: ListPorts, path: string): Promise<PortInfo | null> {
  const wanted = await trueName(path);
  for (const port of withoutSharedIds((await list()).ports))
    if (port.path === path || (await trueName(port.path)) === wanted) return port;
  return null;
}

/** Where a board is now; null when it is plugged in nowhere. */
export async function pathOf(list: ListPorts, place: UsbPlace): Promise<string | null> {
  const { ports } = await list();
  return withoutSharedIds(ports).find((port) => isAt(port, place))?.path ?? null;
}

/** Whether a path is a pseudo terminal: nothing tells what is behind one. */
export async function isPseudoTerminal(path: string): Promise<boolean> {
  return (await trueName(path)).startsWith('/dev/pts/');
}

const trueName = (path: string): Promise<string> => realpath(path).catch(() => path);
/** Links to ports by the id of their adapter, which stay when the ports are numbered anew; none where there are none. */
export async function namedPorts(folder = '/dev/serial/by-id'): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.toSorted().map((name) => join(folder, name));
}
