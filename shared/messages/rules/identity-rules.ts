import { type BundleRule, block, warn, pass } from './rule.ts';

/** Rules about whether the image is the one that was meant. */
export const identityRules = {
  'identity.version-found': pass('Declared version found inside'),
  'identity.version-not-found': warn(
    'Declared version not found inside',
    'Check that this is the build that was meant; waive it if the image carries no version text.',
  ),
  'image.fits-memory': pass('Image fits the memory'),
  'image.outside-memory': block(
    'The image lies outside the memory of the component',
    'Pick the image for this chip, or correct the memory regions of the component in slipway.yaml.',
  ),
  'image.processor-wrong': block(
    'The code is for another processor',
    'Pick the image for this chip, or correct the chip of the component in slipway.yaml.',
  ),
  'identity.version-differs': block(
    'The image says another version',
    'Pick the build of the declared version, or declare the version that the image carries.',
    true,
  ),
  'mcuboot.sample-key': block(
    'Signed with a publicly known sample key',
    'Anybody can sign for this key: make a key of your own and put it into the boot loader.',
    true,
  ),
} as const satisfies Record<string, BundleRule>;
