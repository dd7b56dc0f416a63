import { type BundleRule, block, warn, pass, unchecked, copyAgain } from './rule.ts';

/** Rules of patches that turn a released source image into the target. */
export const patchRules = {
  'patch.header': pass('Patch header read'),
  'patch.truncated': block('The patch is cut', copyAgain),
  'patch.damaged': block('The patch is damaged', copyAgain),
  'patch.absurd': block(
    'The patch announces an impossible image',
    'Make the patch again from the two released images.',
  ),
  'patch.private-compression': warn(
    'The patch uses a compression of its maker’s own',
    'Make it without secondary compression, unless the device’s decoder is known to read it.',
  ),
  'patch.not-applied': unchecked(
    'The content of the patch was not checked',
    'Prove it in the delta room: Slipway applies it to the source release and compares the SHA-256.',
  ),
} as const satisfies Record<string, BundleRule>;
