import { archiveRules } from './rules/archive-rules.ts';
import { containerRules } from './rules/container-rules.ts';
import { formatRules } from './rules/format-rules.ts';
import { hygieneRules } from './rules/hygiene-rules.ts';
import { identityRules } from './rules/identity-rules.ts';
import { imageRules } from './rules/image-rules.ts';
import { packageRules } from './rules/package-rules.ts';
import { patchRules } from './rules/patch-rules.ts';
import { recordRules } from './rules/record-rules.ts';
import { scriptRules } from './rules/script-rules.ts';

/** The four layers of validation. */
export const ruleLayers = ['container', 'image', 'identity', 'hygiene'] as const;
/** The layer of validation that a rule belongs to. */
export type RuleLayer = (typeof ruleLayers)[number];

const layers = {
  container: {
    ...packageRules,
    ...containerRules,
    ...archiveRules,
    ...recordRules,
    ...formatRules,
  },
  image: { ...imageRules, ...patchRules, ...scriptRules },
  identity: identityRules,
  hygiene: hygieneRules,
} as const;

/** Every rule of the bundle room, by the identifier that findings and waivers carry. */
export const bundleRules = {
  ...layers.container,
  ...layers.image,
  ...layers.identity,
  ...layers.hygiene,
} as const;

export type BundleRuleId = keyof typeof bundleRules;

/** The layer of a rule; rules that the user describes are about the container. */
export function layerOfRule(rule: string): RuleLayer {
  for (const layer of ['image', 'identity', 'hygiene'] as const)
    if (Object.hasOwn(layers[layer], rule)) return layer;
  return 'container';
}
