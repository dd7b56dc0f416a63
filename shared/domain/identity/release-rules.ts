import { fullPackages, type ReleasedPackage } from '../release-history.ts';
import { compareVersions, followsScheme } from '../version-scheme.ts';
import { compareWithDescribed } from './described-version.ts';
import { earlierPackages, type ExaminedFile, type IdentityContext } from './examined-file.ts';

const day = (moment: string): string => moment.slice(0, 10);

/** Compares the files with what was released of the component before: same version, same bytes, order, old build. */
export function checkReleases(files: readonly ExaminedFile[], context: IdentityContext): void {
  checkImmutable(files, context);
  checkSameBytes(files, context);
  checkOrder(files, context);
  checkStale(files, context);
}

/** A version never gets other bytes; part of a package's files may be looked at alone. */
function checkImmutable(files: readonly ExaminedFile[], context: IdentityContext): void {
  const { history, component, version } = context;
  const same = fullPackages(history, component.id).find((pkg) => pkg.version === version);
  if (same === undefined) return;
  const released = new Set(same.files.map(({ sha256 }) => sha256));
  for (const file of files) {
    if (released.has(file.sha256)) continue;
    const detail = `${component.id} ${version} was recorded on ${day(same.createdAt)} with other bytes`;
    file.report('identity.version-immutable', detail, {
      expected: [...released].join(', '),
      found: file.sha256,
    });
  }
}

/** Parts that did not change may stay; a package in which nothing changed is no new version. */
function checkSameBytes(files: readonly ExaminedFile[], context: IdentityContext): void {
  if (context.version === undefined) return;
  const digests = new Set(files.map(({ sha256 }) => sha256));
  const same = earlierPackages(context).findLast(
    (pkg) =>
      pkg.files.length === digests.size && pkg.files.every(({ sha256 }) => digests.has(sha256)),
  );
  if (same === undefined) return;
  const detail = `these bytes are ${context.component.id} ${same.version} of ${day(same.createdAt)}`;
  files[0]?.report('identity.same-bytes', detail, {
    expected: context.version,
    found: same.version,
  });
}

function checkOrder(files: readonly ExaminedFile[], context: IdentityContext): void {
  const { component, version } = context;
  const { versionScheme } = component;
  const [first] = files;
  if (versionScheme === undefined || version === undefined || first === undefined) return;
  if (!followsScheme(versionScheme, version)) {
    const expected = typeof versionScheme === 'string' ? versionScheme : versionScheme.pattern;
    first.report('identity.version-form', `"${version}"`, { expected, found: version });
    return;
  }
  const newest = earlierPackages(context).reduce<ReleasedPackage | null>((best, pkg) => {
    const order = compareVersions(versionScheme, pkg.version, best?.version ?? version);
    return order !== null && order > 0 ? pkg : best;
  }, null);
  if (newest === null) return;
  const detail = `${component.id} ${newest.version} was recorded on ${day(newest.createdAt)}`;
  first.report('identity.downgrade', detail, { expected: newest.version, found: version });
}

/** The build of the release before, given a new number. */
function checkStale(files: readonly ExaminedFile[], context: IdentityContext): void {
  const { version } = context;
  const last = earlierPackages(context).at(-1);
  if (version === undefined || last === undefined) return;
  const isBuilt = ({ identity }: ExaminedFile): boolean =>
    identity?.version !== undefined && compareWithDescribed(version, identity.version) === 'same';
  if (files.some(isBuilt)) return;
  const released = new Set(last.files.map(({ sha256 }) => sha256));
  const isInside = files.some((file) => file.texts.get(version));
  for (const file of files) {
    // A part that did not change has no newer build.
    if (released.has(file.sha256)) continue;
    const described = file.identity?.version;
    const evidence = { expected: version, found: last.version };
    if (described !== undefined) {
      const before = last.files.find(({ identity }) => identity?.version === described);
      if (before !== undefined && compareWithDescribed(version, described) === 'other') {
        const detail = `its descriptor says ${described}, as that of ${last.version} did`;
        file.report('identity.stale-build', detail, evidence);
      }
      continue;
    }
    const place = file.texts.get(last.version);
    if (isInside || !place) continue;
    const detail = `"${last.version}" of the release before is in the content, "${version}" is not`;
    file.report('identity.stale-text', detail, { ...evidence, ...place });
  }
}
