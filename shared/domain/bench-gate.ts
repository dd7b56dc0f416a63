import { type BenchJudgement, countText, judgeBench, runLines } from './bench-policy.ts';
import type { RecordFacts } from './gates.ts';
import type { Gate } from './plan.ts';
import type { VersionPackage } from './product.ts';

interface McuImage {
  readonly sha256: string;
  readonly name: string;
  readonly releaseId: string;
  readonly targetVersion: string;
}

/** The images that MCUs end up with, whether they come whole or as a delta. */
function mcuImages(
  packages: readonly VersionPackage[],
  releasePackages: readonly VersionPackage[],
): readonly McuImage[] {
  const files = releasePackages.flatMap((pkg) => pkg.files);
  const images = new Map<string, McuImage>();
  for (const { componentType, deltaProof, files: own, releaseId, targetVersion } of packages) {
    if (componentType !== 'mcu') continue;
    for (const sha256 of deltaProof ? [deltaProof.targetSha256] : own.map((file) => file.sha256)) {
      const name = files.find((file) => file.sha256 === sha256)?.name ?? 'an unknown image';
      images.set(sha256, { sha256, name, releaseId, targetVersion });
    }
  }
  return [...images.values()];
}

/** How the bench policy stands for each MCU image of some packages; empty where the product has none. */
export function judgeImages(
  facts: Pick<RecordFacts, 'product' | 'packages' | 'releasePackages' | 'benchRuns' | 'at'>,
): readonly { readonly name: string; readonly sha256: string; readonly judged: BenchJudgement }[] {
  const { product, packages, releasePackages, benchRuns: runs, at } = facts;
  const policy = product.policy.bench;
  if (!policy) return [];
  return mcuImages(packages, releasePackages).map((image) => ({
    name: image.name,
    sha256: image.sha256,
    judged: judgeBench({ ...image, policy, imageSha256: image.sha256, runs, at }),
  }));
}

const shownRuns = 40;
const placeOf = (name: string, sha256: string): string => `${name} (${sha256.slice(0, 12)}…)`;

/** Whether the bench policy of the product is met for every MCU image that is delivered. */
export function benchGate(facts: RecordFacts): Gate {
  const { product, packages, releasePackages, benchRuns } = facts;
  const required = product.policy.benchRunsRequired;
  const tooFew = mcuImages(packages, releasePackages).flatMap(({ sha256, name }) => {
    const passed = benchRuns.filter((run) => run.passed && run.imageSha256 === sha256).length;
    return passed < required
      ? [`${placeOf(name, sha256)} has ${passed} of ${required} passed bench runs`]
      : [];
  });
  const images = judgeImages(facts);
  const counts = images.map(({ name, sha256, judged }) => ({
    isMet: judged.isMet,
    text: `${placeOf(name, sha256)}: ${countText(judged.revisions)}`,
  }));
  const missing = [...tooFew, ...counts.filter(({ isMet }) => !isMet).map(({ text }) => text)];
  const details = images.flatMap(({ judged }) => runLines(judged.runs)).slice(0, shownRuns);
  return {
    id: 'bench',
    title: 'Bench policy is met for exactly these hashes',
    passed: missing.length === 0,
    why:
      missing.length > 0
        ? `${missing.join('; ')}.`
        : counts.length > 0
          ? `${counts.map(({ text }) => text).join('; ')}.`
          : required === 0
            ? 'The product asks for no bench run.'
            : `Each MCU image has its ${required} passed bench ${required === 1 ? 'run' : 'runs'}.`,
    ...(details.length > 0 ? { details } : {}),
  };
}
