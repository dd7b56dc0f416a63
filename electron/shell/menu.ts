import { Menu, type MenuItemConstructorOptions } from 'electron';

/** No menu bar; on macOS the few entries without which copy, paste and quit have no keys. */
export function setMenu(platform: NodeJS.Platform): void {
  const entries: MenuItemConstructorOptions[] = [
    { role: 'appMenu' },
    { role: 'editMenu' },
    { role: 'windowMenu' },
  ];
  Menu.setApplicationMenu(platform === 'darwin' ? Menu.buildFromTemplate(entries) : null);
}
