import { type BundleRule, block, warn, pass, signAgain, unchecked } from './rule.ts';

const describe = 'or correct the component in slipway.yaml';

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
  'image.touches-bootloader': block(
    'The image would overwrite the boot loader',
    `Pick the application image alone, ${describe}.`,
    true,
  ),
  'image.touches-ram': block(
    'The image lies in RAM',
    `It would be gone after a reset: pick the image that is linked for the flash, ${describe}.`,
    true,
  ),
  'image.over-trailer': block(
    'The image leaves no room for the slot trailer',
    'Make the image smaller: the boot loader writes the end of the slot, and would damage it.',
  ),
  'image.stack-outside-ram': block(
    'The initial stack pointer is outside the RAM',
    `The image is for a chip with other RAM: pick the one for this chip, ${describe}.`,
    true,
  ),
  'identity.hardware-match': pass('Image names the hardware of the component'),
  'identity.hardware-differs': block(
    'The image is for other hardware',
    `Pick the image for this board, ${describe} (hardwareIds).`,
  ),
  'identity.hardware-absent': warn(
    'The image names no hardware',
    'Nothing but the name tells which board it is for: let the build write it into the image.',
  ),
  'identity.product-text': pass('Text of the product found inside'),
  'identity.product-text-missing': block(
    'Text of the product not found inside',
    `Check that this is a build for this product, ${describe} (productTexts).`,
    true,
  ),
  'identity.product-text-unknown': unchecked(
    'Text of the product could not be searched',
    'The content is packed or encrypted: compare the SHA-256 with that of the build.',
  ),
  'identity.other-product': block(
    'The image is a build for another product',
    `Pick the build for this product, ${describe} (productTexts).`,
  ),
  'identity.version-immutable': block(
    'This version already has other bytes',
    'Versions are immutable: raise the version and make a new release.',
  ),
  'identity.same-bytes': block(
    'These bytes were released under another version',
    'Build the declared version: devices would report the old one.',
    true,
  ),
  'identity.stale-build': block(
    'The image is a build of an earlier release',
    'Raise the version in the sources and build again.',
    true,
  ),
  'identity.stale-text': warn(
    'The image may be a build of the release before',
    'Check that the build ran after the version was raised.',
  ),
  'identity.version-form': block(
    'The version is not written as the component asks',
    'Correct the version, or the versionScheme of the component in slipway.yaml.',
    true,
  ),
  'identity.downgrade': block(
    'A newer version was released already',
    'Raise the version; waive it for a fix of an older line.',
    true,
  ),
  'identity.step-skipped': block(
    'The upgrade would skip a version that it must not skip',
    'Release a delta to the version in between first.',
    true,
  ),
  'identity.counter-lower': block(
    'The security counter is lower than one already released',
    'Devices that have the other release refuse this image: sign it with a counter not lower.',
    true,
  ),
  'identity.counter-absent': warn(
    'The security counter is missing',
    'An earlier release had one: without it a device cannot refuse a roll-back.',
  ),
  'identity.counter-raised': pass('Security counter raised: devices cannot go back'),
  'identity.unsigned': block('The image is not signed', signAgain, true),
  'identity.signature-unknown': unchecked(
    'No signature could be found',
    'Slipway knows no signature of this format: check it with the tool that signed it.',
  ),
  'identity.key-changed': warn(
    'Signed with another key than the release before',
    'Devices accept only keys that their boot loader knows: name them in slipway.yaml.',
  ),
  'identity.key-expired': block(
    'The signing key has expired',
    'Sign with a key that is still in use, or correct its date in slipway.yaml.',
    true,
  ),
  'identity.certificate-expired': warn(
    'A certificate inside has expired',
    'Replace it: what is checked against it fails on every device.',
  ),
  'identity.certificate-expires': warn(
    'A certificate inside expires before the support period ends',
    'Plan an update before that day, or use a certificate that lasts.',
  ),
  'identity.certificates-unread': unchecked(
    'Not every certificate was read',
    'There are more than a firmware holds: check what the file is.',
  ),
  'identity.build-date-future': warn(
    'Built in the future',
    'Correct the clock of the build machine and build again.',
  ),
  'identity.compatible': pass('Works with the other components'),
  'identity.incompatible': block(
    'The version does not work with the other components',
    'Release a version that does, or add a row to compatibility in slipway.yaml.',
    true,
  ),
  'identity.incompatible-newest': warn(
    'The version does not work with the newest of another component',
    'Devices that run that one cannot take it: release a version that works with both.',
  ),
  'identity.delta-proven': pass('The delta is one that was proven'),
  'identity.delta-unproven': warn(
    'The delta was not proven here',
    'Make it in the delta room from released packages: it is applied and compared there.',
  ),
  'identity.delta-source': block(
    'The source of the delta was never released',
    'Make the delta from a released full package.',
    true,
  ),
  'identity.delta-target': block(
    'The target of the delta was never released',
    'Make the delta to a full package of this release.',
    true,
  ),
  'identity.delta-large': warn(
    'The delta is hardly smaller than the image',
    'Deliver the full package: it needs no exact source version.',
  ),
  'mcuboot.signature-verified': pass('MCUboot signature verified'),
  'mcuboot.signature-wrong': block(
    'The MCUboot signature is wrong',
    `The image was changed after it was signed, or by someone else. ${signAgain}`,
  ),
  'mcuboot.unknown-key': block(
    'Signed with a key that is not one of the product',
    'Sign it with a key of the product, or name the key in slipway.yaml.',
    true,
  ),
  'mcuboot.dependency-unmet': block(
    'Another image that it needs is too old',
    'Release the newer version of the other component with it.',
    true,
  ),
  'mcuboot.dependency-open': unchecked(
    'An image that it needs was never released here',
    'Release it, or check that devices have it.',
  ),
  'mcuboot.sample-key': block(
    'Signed with a publicly known sample key',
    'Anybody can sign for this key: make a key of your own and put it into the boot loader.',
    true,
  ),
  'identity.fingerprint-differs': warn(
    'The file begins unlike those of earlier releases',
    'Check that it is of the same kind and for the same hardware; waive it when the format changed.',
  ),
  'identity.size-differs': warn(
    'The size is far from that of the last release',
    'Check that the build is whole and for this product; waive it when so much did change.',
  ),
} as const satisfies Record<string, BundleRule>;
