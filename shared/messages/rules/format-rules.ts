import { type BundleRule, block, warn, pass, copyAgain } from './rule.ts';

const correct = 'Pick the file that was meant, or correct the description in slipway.yaml.';

/** Rules of the formats that slipway.yaml describes. */
export const formatRules = {
  'format.read': pass('Read as slipway.yaml describes it'),
  'format.magic': block('The file does not begin as described', correct, true),
  'format.too-short': block('The file is shorter than its format', copyAgain),
  'format.size': block('A size inside contradicts the file', `It may be cut. ${copyAgain}`),
  'format.constant': block('A constant of the format is different', correct, true),
  'format.checksum': block('A checksum of the format is wrong', copyAgain),
  'format.padding': block('Foreign bytes in the padding', copyAgain),
  'format.version-missing': warn('No version where the format has it', correct),
} as const satisfies Record<string, BundleRule>;
