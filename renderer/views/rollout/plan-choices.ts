import {
  defaultDeltas,
  type PackageOffer,
  packageOffers,
} from '../../../shared/domain/package-offers.ts';
import {
  type DeviceList,
  faultText,
  listMistakes,
  tooManyLinesText,
} from '../../../shared/domain/device-list.ts';
import type { PlanDraftInput } from '../../../shared/domain/plan.ts';
import { inSequence, inUpgradeSequence } from '../../../shared/domain/upgrade-sequence.ts';
import { planFault } from '../../../shared/domain/plan-strategy.ts';
import type { Product, VersionPackage } from '../../../shared/domain/product.ts';
import { type PaceForm, paceOf } from './stage-choices.ts';
import { type PlanOptions, optionFields } from './plan-options.ts';

/** What a release offers for one component of a plan. */
export interface ComponentOffer extends PackageOffer {
  readonly componentName: string;
}

/** What a person chose for one component. */
export interface ComponentChoice {
  readonly included: boolean;
  readonly fullPackageId: string | null;
  readonly deltaPackageIds: readonly string[];
}

/** The form of a plan that is not saved yet. */
export interface PlanForm extends PlanOptions, PaceForm {
  readonly name: string;
  /** By component id. */
  readonly choices: Readonly<Record<string, ComponentChoice>>;
  readonly batches: readonly string[];
}

/** The components that the packages of a release can upgrade, modules first, else in the product's order. */
export function offersOf(
  product: Product,
  releaseId: string,
  packages: readonly VersionPackage[],
): readonly ComponentOffer[] {
  const offers = packageOffers(releaseId, packages);
  const known = product.components.flatMap(({ id, name }) => {
    const offer = offers.find(({ componentId }) => componentId === id);
    return offer ? [{ ...offer, componentName: name }] : [];
  });
  return inUpgradeSequence(known);
}

/** Everything on offer: the newest full package and each delta that rebuilds exactly its image. */
export function defaultChoice(offer: ComponentOffer): ComponentChoice {
  const [full] = offer.fulls;
  return {
    included: true,
    fullPackageId: full?.id ?? null,
    deltaPackageIds: defaultDeltas(offer).map((pkg) => pkg.id),
  };
}

/** The plan as the engine takes it, or why there is none yet. */
export function draftOf(
  releaseId: string,
  product: Product,
  offers: readonly ComponentOffer[],
  form: PlanForm,
  lists: { readonly whitelist: DeviceList; readonly blacklist: DeviceList },
): { readonly draft: PlanDraftInput } | { readonly missing: string } {
  if (form.name.trim() === '') return { missing: 'Give the plan a name.' };
  for (const [title, list] of [
    ['whitelist', lists.whitelist],
    ['blacklist', lists.blacklist],
  ] as const) {
    const [first] = listMistakes(list);
    const fault = tooManyLinesText(list) ?? (first && faultText(first));
    if (fault) return { missing: `The ${title}: ${fault}` };
  }
  const components = offers.flatMap((offer) => {
    const choice = form.choices[offer.componentId] ?? defaultChoice(offer);
    if (!choice.included) return [];
    const deltas = offer.deltas.filter((pkg) => choice.deltaPackageIds.includes(pkg.id));
    const full = offer.fulls.find((pkg) => pkg.id === choice.fullPackageId);
    const [first] = full ? [full] : deltas;
    if (!first) return [];
    return [
      {
        componentId: offer.componentId,
        componentType: offer.componentType,
        targetVersion: first.targetVersion,
        fullPackageId: full?.id ?? null,
        deltas: deltas.map((pkg) => ({
          sourceVersion: pkg.sourceVersion ?? '',
          packageId: pkg.id,
        })),
      },
    ];
  });
  if (components.length === 0)
    return { missing: 'Choose at least one component with a full or a delta package.' };
  const paced = paceOf(form);
  if ('missing' in paced) return paced;
  const options = optionFields(form);
  if ('missing' in options) return options;
  const draft = {
    name: form.name.trim(),
    productId: product.id,
    releaseId,
    ...options.fields,
    components: inSequence(components, form.sequence),
    batches: [...form.batches],
    whitelist: [...lists.whitelist.ids],
    blacklist: [...lists.blacklist.ids],
    ...paced.pace,
  };
  const fault = planFault(draft);
  return fault === null ? { draft } : { missing: fault };
}
