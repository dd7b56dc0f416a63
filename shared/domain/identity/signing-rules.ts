import type { ReleasedPackage } from '../release-history.ts';
import { fullPackages } from '../release-history.ts';
import { earlierPackages, type ExaminedFile, type IdentityContext } from './examined-file.ts';

/** Compares signature, key and security counter with the description and with earlier releases. */
export function checkSigning(files: readonly ExaminedFile[], context: IdentityContext): void {
  checkSigned(files, context);
  checkCounter(files, context);
  for (const file of files) checkKey(file, context);
}

const hasSigned = (pkg: ReleasedPackage | undefined): boolean =>
  pkg?.files.some(({ identity }) => identity?.signed === true) ?? false;

function checkSigned(files: readonly ExaminedFile[], context: IdentityContext): void {
  const [first] = files;
  if (first === undefined || files.some(({ identity }) => identity?.signed === true)) return;
  const last = earlierPackages(context).at(-1);
  const isRequired = context.component.signing?.required ?? false;
  const unsigned = files.find(({ identity }) => identity?.signed === false);
  if (hasSigned(last)) {
    const detail = `"${(unsigned ?? first).name}" has no signature; ${last?.version} had one`;
    (unsigned ?? first).report('identity.unsigned', detail);
  } else if (isRequired && unsigned !== undefined) {
    const detail = `"${unsigned.name}": signing is required for ${context.component.id}`;
    unsigned.report('identity.unsigned', detail);
  } else if (isRequired) {
    first.report('identity.signature-unknown', `"${first.name}" is ${first.format}`);
  }
}

function checkKey({ identity, report }: ExaminedFile, context: IdentityContext): void {
  const keys = context.component.signing?.keys ?? [];
  const key = keys.find(({ name }) => name === identity?.keyName);
  const today = context.now.slice(0, 10);
  if (key?.expires !== undefined && key.expires < today) {
    report('identity.key-expired', `"${key.name}" was to sign until ${key.expires}`, {
      expected: `not after ${key.expires}`,
      found: today,
    });
  }
  if (keys.length > 0 || identity?.keyHash === undefined) return;
  const last = earlierPackages(context).at(-1);
  const before = last?.files.flatMap((file) => file.identity?.keyHash ?? []) ?? [];
  if (last === undefined || before.length === 0 || before.includes(identity.keyHash)) return;
  report('identity.key-changed', `${last.version} was signed with another key`, {
    expected: before.join(', '),
    found: identity.keyHash,
  });
}

/** A device keeps the highest counter that it ever ran, whatever the version. */
function checkCounter(
  files: readonly ExaminedFile[],
  { history, component, version }: IdentityContext,
): void {
  const counterOf = (file: ExaminedFile): number => file.identity?.securityCounter ?? -1;
  const file = files.toSorted((one, other) => counterOf(other) - counterOf(one))[0];
  const released = fullPackages(history, component.id)
    .filter((pkg) => pkg.version !== version)
    .flatMap((pkg) =>
      pkg.files.map(({ identity }) => ({
        version: pkg.version,
        counter: identity?.securityCounter ?? 0,
      })),
    )
    .toSorted((one, other) => other.counter - one.counter)[0];
  if (released === undefined || file?.identity === undefined) return;
  const counter = file.identity.securityCounter;
  const evidence = { expected: `at least ${released.counter}`, found: String(counter ?? 'none') };
  if (counter === undefined) {
    // Formats without a counter say nothing about it.
    if (released.counter === 0 || file.identity.signed === undefined) return;
    const detail = `${released.version} has ${released.counter}`;
    file.report('identity.counter-absent', detail, evidence);
  } else if (counter < released.counter) {
    const detail = `${counter}; ${released.version} has ${released.counter}`;
    file.report('identity.counter-lower', detail, evidence);
  } else if (counter > released.counter) {
    const detail = `from ${released.counter} to ${counter}: it cannot be taken back`;
    file.report('identity.counter-raised', detail, evidence);
  }
}
