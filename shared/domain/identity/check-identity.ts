import { checkBeginnings } from './beginning-rules.ts';
import { checkComponents } from './component-rules.ts';
import { checkCertificates } from './date-rules.ts';
import { checkDeltas, isDelta } from './delta-rules.ts';
import { earlierPackages, type ExaminedFile, type IdentityContext } from './examined-file.ts';
import { checkHardware } from './hardware-rules.ts';
import { checkReleases } from './release-rules.ts';
import { checkSigning } from './signing-rules.ts';

/**
 * Tells whether the files of a would-be version package are what they are meant to be: for this
 * hardware, signed, newer than what was released, and fit for the other components. What the
 * description and the records do not say is not asked for.
 */
export function checkIdentity(files: readonly ExaminedFile[], context: IdentityContext): void {
  checkHardware(files, context);
  // A delta is no build: it has neither a signature nor a version of its own.
  const images = files.filter((file) => !isDelta(file));
  if (images.length > 0) {
    checkReleases(images, context);
    checkBeginnings(images, earlierPackages(context));
    checkSigning(images, context);
  }
  checkDeltas(files, context);
  checkComponents(files, context);
  const { supportEnds } = context.product;
  if (supportEnds === undefined) return;
  for (const file of files) checkCertificates(file, supportEnds, context.now);
}
