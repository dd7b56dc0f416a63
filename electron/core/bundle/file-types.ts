const archives = ['zip', 'rar', 'tar', 'gzip', 'xz', 'zstd'];

/** Formats that content with this extension must have; content of `unknown` format included. */
const required: Readonly<Record<string, readonly string[]>> = {
  '.zip': ['zip'],
  '.rar': ['rar'],
  '.tar': ['tar'],
  '.tar.gz': ['gzip'],
  '.tgz': ['gzip'],
  '.gz': ['gzip'],
  '.xz': ['xz'],
  '.zst': ['zstd'],
  '.s19': ['s-record'],
  '.s28': ['s-record'],
  '.s37': ['s-record'],
  '.mot': ['s-record'],
  '.srec': ['s-record'],
  '.hex': ['intel-hex'],
  '.ihex': ['intel-hex'],
  '.py': ['python', 'text'],
  '.mpy': ['mpy'],
  '.elf': ['elf'],
  '.uf2': ['uf2'],
  '.dtb': ['fit'],
  '.itb': ['fit'],
};

/** Formats that a raw image must not have: a device would write them to flash as they are. */
const notRaw = new Set([...archives, 'elf', 'uf2', 's-record', 'intel-hex']);
const rawExtension = /\.bin(_\d+)?$/i;
const opaqueExtension = /\.(pack|mini_\d+)$/i;

/** Whether the name is that of a raw image. */
export function isRawName(name: string): boolean {
  return rawExtension.test(name);
}

/** What the name promises, when the content breaks the promise; null when they agree. */
export function contradiction(name: string, format: string): string | null {
  const lower = name.toLowerCase();
  const extension = Object.keys(required)
    .filter((candidate) => lower.endsWith(candidate))
    .sort((a, b) => b.length - a.length)[0];
  if (extension !== undefined) {
    const formats = required[extension] ?? [];
    return formats.includes(format) ? null : formats.join(' or ');
  }
  return isRawName(name) && notRaw.has(format) ? 'a raw image' : null;
}

/** Whether the extension belongs to a format that only its vendor can read. */
export function isOpaque(name: string, format: string): boolean {
  return opaqueExtension.test(name) && ['unknown', 'cortex-m', 'text', 'python'].includes(format);
}

/** Whether the name ends with one of the allowed extensions; case does not matter. */
export function isAllowedType(name: string, fileTypes: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return fileTypes.some((type) => lower.length > type.length && lower.endsWith(type.toLowerCase()));
}
