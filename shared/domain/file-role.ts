import type { PackageFile } from './product.ts';

/** The role of a file in a full package, from its format: scripts are run, everything else is flashed. */
export function roleOfFormat(format: string): PackageFile['role'] {
  return format === 'python' || format === 'text' || format === 'mpy' ? 'script' : 'image';
}
