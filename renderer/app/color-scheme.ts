import type { MantineColorSchemeManager } from '@mantine/core';

/** The window keeps no scheme of its own: main applies the setting, and the media query tells. */
export const followSystem: MantineColorSchemeManager = {
  get: () => 'auto',
  set: () => undefined,
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  clear: () => undefined,
};
