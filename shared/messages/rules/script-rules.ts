import { type BundleRule, block, warn, pass, unchecked, copyAgain } from './rule.ts';

const compileAgain = 'Compile it again with mpy-cross, and do not edit it afterwards.';

/** Rules of Python scripts and their compiled form. */
export const scriptRules = {
  'script.not-text': block('The script is not text', 'Save it as UTF-8 text.'),
  'script.conflict': block('Merge conflict in the script', 'Resolve the conflict marked there.'),
  'script.syntax': block(
    'Syntax error in the script',
    'Correct the line: a device would refuse it.',
  ),
  'script.indent': block(
    'The indentation of the script is wrong',
    'Indent with four spaces everywhere: a device would refuse it.',
  ),
  'script.mixed-indent': warn(
    'The script mixes tabs and spaces',
    'Indent with spaces only: editors show such lines in different places.',
  ),
  'script.bom': warn(
    'The script begins with a byte order mark',
    'Save it as UTF-8 without BOM: MicroPython stops at it.',
  ),
  'script.line-ends': warn(
    'The line ends of the script are mixed',
    'Save it with one kind of line ends, best LF.',
  ),
  'script.no-code': warn('The script holds no code', 'Check that the right file was picked.'),
  'script.too-long': unchecked(
    'The script is too long to be parsed',
    'A script for a device has a few kilobytes: check that the right file was picked.',
  ),
  'script.parsed': pass('Script parsed'),
  'mpy.header': pass('.mpy header read'),
  'mpy.truncated': block('The .mpy file is cut', copyAgain),
  'mpy.damaged': block('The .mpy file is damaged', compileAgain),
  'mpy.native': pass('.mpy holds machine code'),
  'mpy.not-walked': unchecked(
    'This version of .mpy was not checked',
    'Compile it again with the mpy-cross of the device’s MicroPython.',
  ),
} as const satisfies Record<string, BundleRule>;
