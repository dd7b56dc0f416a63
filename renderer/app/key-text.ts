const isMac = navigator.userAgent.includes('Mac');

/** A shortcut as the keyboard of this system names it, for example `Ctrl+K`. */
export const keyText = (key: string): string => `${isMac ? '⌘' : 'Ctrl+'}${key.toUpperCase()}`;
