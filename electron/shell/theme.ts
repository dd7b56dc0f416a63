import { type BrowserWindow, nativeTheme } from 'electron';
import type { Settings } from '../../shared/contract/contract.ts';
import type { Studio } from '../core/studio.ts';

/** The colour behind the page, so that opening and resizing never flash white in the dark. */
export const backgroundColor = (): string =>
  nativeTheme.shouldUseDarkColors ? '#1c1f25' : '#ffffff';

/**
 * Applies the theme of the settings now and whenever the window changes it; the page follows by its
 * media query. Gives the studio that the window is to talk to.
 */
export async function followTheme(studio: Studio): Promise<Studio> {
  nativeTheme.themeSource = (await studio.ask('settings.get', {})).theme;
  return {
    ...studio,
    async call(method, input) {
      const answer = await studio.call(method, input);
      if (method === 'settings.set' && answer.ok)
        nativeTheme.themeSource = (answer.value as Settings).theme;
      return answer;
    },
  };
}

/** Keeps the colour behind the page in step with the theme. */
export function paintBackground(window: BrowserWindow): void {
  const paint = (): void => window.setBackgroundColor(backgroundColor());
  nativeTheme.on('updated', paint);
  window.once('closed', () => nativeTheme.removeListener('updated', paint));
}
