import type { Verdict } from '../domain/finding.ts';

/** What the user reads about a rule; where and what exactly stands in the finding's own detail. */
export interface BundleRule {
  readonly verdict: Verdict;
  readonly title: string;
  readonly fix: string;
  readonly waivable: boolean;
}

const block = (title: string, fix: string, waivable = false): BundleRule => ({
  verdict: 'block',
  title,
  fix,
  waivable,
});
const warn = (title: string, fix: string): BundleRule => ({
  verdict: 'warn',
  title,
  fix,
  waivable: true,
});
const pass = (title: string): BundleRule => ({ verdict: 'pass', title, fix: '', waivable: false });
const unchecked = (title: string, fix: string): BundleRule => ({
  verdict: 'could-not-check',
  title,
  fix,
  waivable: true,
});

const rebuildImage = 'Export the image again from the build and do not edit it by hand.';
const repack = 'Make the archive again with a current tool and check it on your machine.';
const copyAgain =
  'Copy or download the file again; compare its SHA-256 with the one at its origin.';

const signAgain = 'Sign the image again with imgtool, and do not edit it afterwards.';
const revoke = 'Take it out of the build and revoke it: who has the file can use it.';

/** Every rule of the bundle room, by the identifier that findings and waivers carry. */
export const bundleRules = {
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
  'file.all-ff': block(
    'The file holds only FF bytes',
    'This is what erased flash looks like: export the image again.',
  ),
  'file.all-00': block(
    'The file holds only 00 bytes',
    'This is what an unfinished copy looks like: export the image again.',
  ),
  'file.type-mismatch': block(
    'The content contradicts the name',
    'Give the file the extension of its content, or pick the file that was meant.',
    true,
  ),
  'file.opaque': unchecked(
    'The inside could not be checked',
    'Nobody but the vendor can read this format: compare its SHA-256 with the vendor’s.',
  ),
  'format.not-checked': unchecked(
    'The inside was not checked',
    'The format was recognised by its signature only: check it with the tool of its maker.',
  ),
  'container.integrity': pass('Container is whole'),
  'identity.version-found': pass('Declared version found inside'),
  'identity.version-not-found': warn(
    'Declared version not found inside',
    'Check that this is the build that was meant; waive it if the image carries no version text.',
  ),
  'image.vector-table': pass('Vector table makes sense'),
  'image.fits-memory': pass('Image fits the memory'),
  'image.outside-memory': block(
    'The image lies outside the memory of the component',
    'Pick the image for this chip, or correct the memory regions of the component in slipway.yaml.',
  ),
  'image.dirty-build': warn(
    'Built from uncommitted sources',
    'Commit every change, build again and release that image.',
  ),
  'identity.version-differs': block(
    'The image says another version',
    'Pick the build of the declared version, or declare the version that the image carries.',
    true,
  ),
  'esp.truncated': block('The ESP image is cut', copyAgain),
  'esp.damaged': block('The ESP image is damaged', rebuildImage),
  'esp.checksum': block('ESP checksum is wrong', copyAgain),
  'esp.sha256': block('The SHA-256 inside the ESP image is wrong', copyAgain),
  'esp.entry': warn('The ESP entry point is in no segment', rebuildImage),
  'esp.chip': pass('ESP image names its chip'),
  'esp.chip-unknown': warn(
    'Unknown ESP chip',
    'Check the target of the build; a chip that is newer than this program needs no change.',
  ),
  'esp.chip-wrong': block(
    'The ESP image is for another chip',
    'Pick the image for this chip, or correct the chip of the component in slipway.yaml.',
  ),
  'esp.signature': unchecked(
    'The ESP signature was not checked',
    'Verify it with the key of the product: `espsecure.py verify_signature`.',
  ),
  'esp.rest': unchecked(
    'Bytes after the ESP image were not checked',
    'They belong to a merged flash image; else export the application image alone.',
  ),
  'esp.descriptor': pass('ESP application descriptor read'),
  'uf2.truncated': block('The UF2 file is cut', copyAgain),
  'uf2.magic': block('Broken UF2 block', copyAgain),
  'uf2.payload': block('UF2 payload is too large', rebuildImage),
  'uf2.count': block('UF2 block count is wrong', rebuildImage),
  'uf2.order': block('UF2 blocks are missing or out of order', rebuildImage),
  'uf2.incomplete': block('UF2 blocks are missing at the end', copyAgain),
  'uf2.alignment': warn('UF2 address is not aligned', rebuildImage),
  'uf2.overlap': block('UF2 blocks go to the same address', rebuildImage),
  'uf2.no-data': block('The UF2 file holds no data for the flash', rebuildImage),
  'uf2.md5': block('The MD5 inside the UF2 file is wrong', copyAgain),
  'uf2.md5-not-checked': unchecked(
    'The MD5 inside the UF2 file was not checked',
    'It covers bytes that the file does not carry in one piece: check it on the device.',
  ),
  'uimage.truncated': block('The uImage is cut', copyAgain),
  'uimage.header-crc': block('uImage header CRC is wrong', copyAgain),
  'uimage.data-crc': block('uImage data CRC is wrong', copyAgain),
  'uimage.parts': block('The uImage parts do not fit', 'Make it again with mkimage.'),
  'uimage.header': pass('uImage header read'),
  'uimage.rest': unchecked(
    'Bytes after the uImage were not checked',
    'They may be a filesystem that belongs to it; else make the image again with mkimage.',
  ),
  'elf.truncated': block('The ELF file is cut', copyAgain),
  'elf.damaged': block('The ELF file is damaged', rebuildImage),
  'elf.overlap': block(
    'ELF segments go to the same address',
    'Correct the linker script: one segment would overwrite the other.',
    true,
  ),
  'elf.header': pass('ELF header read'),
  'elf.entry': warn('The ELF entry point is in no load segment', rebuildImage),
  'elf.debug-sections': warn(
    'The ELF file has debug sections',
    'Release a copy without them: `strip --strip-debug`; they show the sources to everyone.',
  ),
  'elf.symbols': warn(
    'The ELF file is not stripped',
    'Release a copy without the symbol table, made with `strip`, and keep the original.',
  ),
  'fit.truncated': block('The FIT image or device tree is cut', copyAgain),
  'fit.damaged': block('The FIT image or device tree is damaged', copyAgain),
  'fit.no-data': warn('A FIT image node has no data', 'Make it again with mkimage -f.'),
  'fit.hash': block('A hash inside the FIT image is wrong', copyAgain),
  'fit.no-hash': warn(
    'A FIT image node has no hash',
    'Give every image a hash node, so that the boot loader notices damage.',
  ),
  'fit.hash-not-checked': unchecked(
    'A hash inside the FIT image was not checked',
    'Check it with dumpimage, or use sha256.',
  ),
  'fit.signature': unchecked(
    'The FIT signature was not checked',
    'Verify it with the key of the product: `fit_check_sign`.',
  ),
  'fit.missing-image': block(
    'A FIT configuration names an image that is missing',
    'Add the image, or correct the configuration.',
    true,
  ),
  'fit.default': warn(
    'The default FIT configuration is missing',
    'Name one of the configurations as the default.',
  ),
  'fit.rest': unchecked('Bytes after the FIT image were not checked', 'Check what they are for.'),
  's-record.syntax': block('Broken S-record line', rebuildImage),
  's-record.type': block('Unknown S-record type', rebuildImage),
  's-record.length': block('S-record length is wrong', rebuildImage),
  's-record.checksum': block('S-record checksum is wrong', rebuildImage),
  's-record.count': block('S-record count is wrong', `Lines are missing. ${copyAgain}`),
  's-record.after-end': block('S-record data after the end record', rebuildImage),
  's-record.overlap': block('S-records contradict each other', rebuildImage),
  's-record.redundant': warn('S-records repeat the same bytes', rebuildImage),
  's-record.no-data': block('The S-record file holds no data', rebuildImage),
  's-record.no-end': warn(
    'The S-record file has no end record',
    'The file may be cut: compare its size with the original.',
  ),
  's-record.end-mismatch': warn('The end record does not match the data records', rebuildImage),
  's-record.no-header': warn('The S-record file has no header record', rebuildImage),
  's-record.mixed': warn('The S-record file mixes address widths', rebuildImage),
  's-record.order': warn('S-record addresses go backwards', rebuildImage),
  'intel-hex.syntax': block('Broken Intel HEX line', rebuildImage),
  'intel-hex.type': block('Unknown Intel HEX record type', rebuildImage),
  'intel-hex.length': block('Intel HEX length is wrong', rebuildImage),
  'intel-hex.checksum': block('Intel HEX checksum is wrong', rebuildImage),
  'intel-hex.after-end': block('Intel HEX data after the end record', rebuildImage),
  'intel-hex.overlap': block('Intel HEX records contradict each other', rebuildImage),
  'intel-hex.redundant': warn('Intel HEX records repeat the same bytes', rebuildImage),
  'intel-hex.no-data': block('The Intel HEX file holds no data', rebuildImage),
  'intel-hex.no-end': block('The Intel HEX file has no end record', `It is cut. ${copyAgain}`),
  'zip.truncated': block('The zip file is cut', copyAgain),
  'zip.damaged': block('The zip file is damaged', repack),
  'zip.multi-disk': block('The zip file is one part of several', 'Pack it as a single file.'),
  'zip.encrypted': block('The zip file is encrypted', 'Pack it without a password.'),
  'zip.unsafe-name': block('Unsafe member name in the zip file', repack),
  'zip.link': block('Link in the zip file', 'Pack the file itself in place of the link.'),
  'zip.duplicate': block('Two zip members have the same name', repack),
  'zip.header-mismatch': block('The zip file contradicts itself', repack),
  'zip.overlap': block('Zip members share the same bytes', repack),
  'zip.crc': block('A zip member is damaged', copyAgain),
  'zip.method': block('Unsupported zip compression', 'Pack it with "store" or "deflate".'),
  'zip.bomb': block('The zip file unpacks to far too much', repack),
  'zip.trailing': block('Foreign bytes in the zip file', repack),
  'zip.no-members': warn('The zip file holds no files', repack),
  'tar.damaged': block('The tar file is damaged', copyAgain),
  'tar.truncated': block('The tar file is cut', copyAgain),
  'tar.unsafe-name': block('Unsafe member name in the tar file', repack),
  'tar.link': block('Link or device in the tar file', 'Pack regular files and folders only.'),
  'tar.duplicate': block('Two tar members have the same name', repack),
  'tar.no-end': warn('The tar file has no end mark', 'It may be cut: compare its SHA-256.'),
  'tar.no-members': warn('The tar file holds no files', repack),
  'tar.trailing': block('Foreign bytes after the tar end mark', repack),
  'gzip.damaged': block('The gzip file is damaged', copyAgain),
  'gzip.truncated': block('The gzip file is cut', copyAgain),
  'gzip.crc': block('The gzip content is damaged', copyAgain),
  'gzip.trailing': block('Foreign bytes after the gzip content', copyAgain),
  'gzip.bomb': block('The gzip file unpacks to far too much', repack),
  'gzip.not-tar': block('The .tar.gz file holds no tar', 'Name it .gz, or pack it with tar.'),
  'rar.truncated': block('The rar file is cut', copyAgain),
  'rar.damaged': block('The rar file is damaged', copyAgain),
  'rar.encrypted': block('The rar file is encrypted', 'Pack it without a password.'),
  'rar.multi-volume': block('The rar file is one part of several', 'Pack it as a single file.'),
  'script.not-text': block('The script is not text', 'Save it as UTF-8 text.'),
  'script.conflict': block('Merge conflict in the script', 'Resolve the conflict marked there.'),
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
  'mcuboot.header': pass('MCUboot header and TLVs read'),
  'mcuboot.sizes': block('A size in the MCUboot header is impossible', signAgain),
  'mcuboot.truncated': block('The MCUboot image is cut', copyAgain),
  'mcuboot.tlv': block('The MCUboot trailer is damaged', signAgain),
  'mcuboot.hash': block('The MCUboot hash is wrong', `The image is damaged. ${copyAgain}`),
  'mcuboot.no-hash': block('The MCUboot image has no hash', signAgain),
  'mcuboot.sample-key': block(
    'Signed with a publicly known sample key',
    'Anybody can sign for this key: make a key of your own and put it into the boot loader.',
    true,
  ),
  'mcuboot.unsigned': warn('The MCUboot image is not signed', signAgain),
  'mcuboot.signature': unchecked(
    'The MCUboot signature was not verified',
    'Verify it with `imgtool verify` and the public key of the product.',
  ),
  'mcuboot.encrypted': unchecked(
    'The MCUboot image is encrypted',
    'Check the image before it is encrypted, or with `imgtool verify` and the key.',
  ),
  'mcuboot.trailing': warn('Foreign bytes after the MCUboot image', signAgain),
} as const satisfies Record<string, BundleRule>;

export type BundleRuleId = keyof typeof bundleRules;
