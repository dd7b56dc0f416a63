import { access } from 'node:fs/promises';
import { isPseudoTerminal, type ListPorts, pathOf, portAt } from '../ports.ts';
import type { RememberPort } from './consoles.ts';

/** Finds a board that came back under another path by the USB serial number of its adapter. */
export function rememberByUsbId(list: ListPorts): RememberPort {
  return async (path) => {
    // What the system does not list, as a pseudo terminal, need not be looked for.
    const isListed = !path.startsWith('virtual:') && !(await isPseudoTerminal(path));
    const place = isListed ? await portAt(list, path) : null;
    return async (lastPath) =>
      place?.usbId == null || (await isThere(lastPath)) ? null : pathOf(list, place);
  };
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
