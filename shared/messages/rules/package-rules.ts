import { type BundleRule, block, warn, pass, unchecked, copyAgain } from './rule.ts';

/** Rules about the files of a package before their inside: name, type, size. */
export const packageRules = {
  'package.too-many-files': block(
    'Too many files',
    'A version package holds at most five files: remove some or put them in an archive.',
  ),
  'package.duplicate-name': block(
    'Two files have the same name',
    'Rename one of them; names that differ only in case count as the same.',
  ),
  'package.duplicate-content': warn(
    'Two files have the same content',
    'Check that each part was exported and that the right files were picked.',
  ),
  'package.address-overlap': warn(
    'Two files go to the same addresses',
    'Take one of them out, or correct the addresses: the file that is written last wins.',
  ),
  'package.part-missing': warn(
    'A numbered part is missing',
    'Add the missing part, or give the file a name without a number.',
  ),
  'file.hash': pass('File read completely'),
  'file.too-large': block(
    'The file is over the size limit',
    'A file may have at most 100 MiB: strip debug sections, compress it or make a delta.',
  ),
  'file.large': warn(
    'The file is close to the size limit',
    'It is over 100,000,000 bytes; a cloud that counts in decimal megabytes would refuse it.',
  ),
  'file.type-not-allowed': block(
    'This file type is not allowed',
    'Rename the file, or add the type to `fileTypes` in slipway.yaml.',
  ),
  'file.empty': block('The file is empty', copyAgain),
  'file.type-mismatch': block(
    'The content contradicts the name',
    'Give the file the extension of its content, or pick the file that was meant.',
    true,
  ),
  'file.opaque': unchecked(
    'The inside could not be checked',
    'Nobody but the vendor can read this format: compare its SHA-256 with the vendor’s.',
  ),
} as const satisfies Record<string, BundleRule>;
