import { type BundleRule, block, warn, rebuildImage, copyAgain } from './rule.ts';

/** Rules of S-record and Intel HEX files. */
export const recordRules = {
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
  's-record.header-version': warn(
    'The S-record header names another version',
    'Check that this is the build that was meant.',
  ),
  's-record.mixed': warn('The S-record file mixes address widths', rebuildImage),
  's-record.order': warn('S-record addresses go backwards', rebuildImage),
  'intel-hex.syntax': block('Broken Intel HEX line', rebuildImage),
  'intel-hex.type': block('Unknown Intel HEX record type', rebuildImage),
  'intel-hex.length': block('Intel HEX length is wrong', rebuildImage),
  'intel-hex.checksum': block('Intel HEX checksum is wrong', rebuildImage),
  'intel-hex.after-end': block('Intel HEX data after the end record', rebuildImage),
  'intel-hex.after-end-other': warn(
    'Intel HEX records without data after the end record',
    'Loaders stop at the end record; symbols may stand behind it, but check that nothing was lost.',
  ),
  'intel-hex.overlap': block('Intel HEX records contradict each other', rebuildImage),
  'intel-hex.redundant': warn('Intel HEX records repeat the same bytes', rebuildImage),
  'intel-hex.no-data': block('The Intel HEX file holds no data', rebuildImage),
  'intel-hex.no-end': block('The Intel HEX file has no end record', `It is cut. ${copyAgain}`),
} as const satisfies Record<string, BundleRule>;
