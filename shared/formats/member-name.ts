const deviceName = /^(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?$/i;

/** Why a member name is unsafe to unpack on some system, or null when it is safe. */
export function unsafeNameReason(name: string): string | null {
  if (name === '') return 'empty name';
  if (name.includes('\0')) return 'NUL in the name';
  if (name.startsWith('/')) return 'absolute path';
  if (name.includes('\\')) return 'backslash in the name';
  if (/^[A-Za-z]:/.test(name)) return 'drive letter';
  for (const part of name.split('/')) {
    if (part === '..') return '".." leaves the folder';
    if (deviceName.test(part)) return `"${part}" is a device on Windows`;
  }
  return null;
}

/** The name under which two members would be the same file on some system. */
export function foldedName(name: string): string {
  return name
    .normalize('NFC')
    .toLowerCase()
    .replace(/\/+$/, '')
    .replace(/^(\.\/)+/, '');
}
