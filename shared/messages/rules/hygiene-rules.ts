import { type BundleRule, block, warn, revoke } from './rule.ts';

/** Rules about what must not be in a release: secrets, debug builds, emptiness. */
export const hygieneRules = {
  'file.all-ff': block(
    'The file holds only FF bytes',
    'This is what erased flash looks like: export the image again.',
  ),
  'file.all-00': block(
    'The file holds only 00 bytes',
    'This is what an unfinished copy looks like: export the image again.',
  ),
  'image.dirty-build': warn(
    'Built from uncommitted sources',
    'Commit every change, build again and release that image.',
  ),
  'elf.debug-sections': warn(
    'The ELF file has debug sections',
    'Release a copy without them: `strip --strip-debug`; they show the sources to everyone.',
  ),
  'elf.rwx': warn(
    'Some memory of the ELF file is both writable and executable',
    'Part code from data in the linker script, so that code is read-only.',
  ),
  'elf.symbols': warn(
    'The ELF file is not stripped',
    'Release a copy without the symbol table, made with `strip`, and keep the original.',
  ),
  'secret.private-key': block(
    'There is a private key inside',
    'Take it out of the build and replace the key pair everywhere: who has the file has the key.',
    true,
  ),
  'secret.test-key': warn(
    'A published test key is inside',
    'TLS libraries carry such keys to test themselves: check that nothing else uses it.',
  ),
  'secret.cloud-key': warn('There is a cloud access key inside', revoke),
  'secret.token': warn('There is a private access token inside', revoke),
  'secret.url-credentials': warn('A URL carries a password', revoke),
  'secret.wifi': warn('There is a Wi-Fi password inside', revoke),
  'secret.root-hash': warn(
    'The hash of a root password is inside',
    'Lock the account, or give each device a password of its own.',
  ),
} as const satisfies Record<string, BundleRule>;
