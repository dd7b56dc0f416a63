/** What a device says about itself when it registers: its objects and where they are. */
export interface DeviceLinks {
  /** Path that stands before every object, without slashes at its ends; usually empty. */
  readonly root: readonly string[];
  /** Paths below the root as they were listed: `['5', '0']`. */
  readonly paths: readonly (readonly string[])[];
}

const maxLinks = 2000;

/**
 * Reads the links of an LwM2M registration (RFC 6690; OMA LwM2M TS 1.0.2, 5.3.1). What is no link
 * is left out: a device must not be lost because of an attribute that nobody knows.
 */
export function readDeviceLinks(text: string): DeviceLinks {
  let root: readonly string[] = [];
  const listed: (readonly string[])[] = [];
  for (const match of text.matchAll(/<([^<>]*)>((?:;[^,"]*(?:"[^"]*"[^,"]*)*)?)/g)) {
    if (listed.length >= maxLinks) break;
    const path = (match[1] ?? '').split('/').filter((segment) => segment !== '');
    if (/;rt="?oma\.lwm2m/.test(match[2] ?? '')) root = path;
    else listed.push(path);
  }
  const paths = listed
    .filter((path) => root.every((segment, index) => path[index] === segment))
    .map((path) => path.slice(root.length));
  return { root, paths };
}
