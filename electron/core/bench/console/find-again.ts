import { access, realpath } from 'node:fs/promises';
import type { listPorts } from '../ports.ts';
import type { RememberPort } from './consoles.ts';

/** Finds a board that came back under another path by the serial number of its USB adapter. */
export function rememberBySerialNumber(list: typeof listPorts): RememberPort {
  return async (path) => {
    const serialNumber = await serialNumberOf(path, list);
    return async (lastPath) => {
      if (serialNumber === null || (await isThere(lastPath))) return null;
      const { ports } = await list();
      return ports.find((port) => port.serialNumber === serialNumber)?.path ?? null;
    };
  };
}

async function serialNumberOf(path: string, list: typeof listPorts): Promise<string | null> {
  if (path.startsWith('virtual:')) return null;
  const target = await realpath(path).catch(() => path);
  // What the system does not list as a pseudo terminal has no number either.
  if (target.startsWith('/dev/pts/')) return null;
  const { ports } = await list();
  return ports.find((port) => port.path === target)?.serialNumber ?? null;
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
