import { checkIdentity } from '../../shared/domain/identity/check-identity.ts';
import type { ExaminedFile, IdentityContext } from '../../shared/domain/identity/examined-file.ts';
import type { ImageIdentity } from '../../shared/domain/image-identity.ts';
import type { Component, Product } from '../../shared/domain/product.ts';
import type { ReleasedPackage } from '../../shared/domain/release-history.ts';
import { hash } from './records.ts';

/** What a rule told: its id, the sentence and the evidence. */
export interface Told {
  readonly rule: string;
  readonly detail: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

export const component: Component = { id: 'STM32', name: 'Sensor firmware', type: 'mcu' };

/** A product whose first component is the one that is checked. */
export function product(changes: Partial<Product> = {}, own: Partial<Component> = {}): Product {
  return {
    id: 'SENSOR-1',
    name: 'Sensor',
    components: [
      { ...component, ...own },
      { id: 'EC600N', name: 'Modem', type: 'module' },
    ],
    policy: { benchRunsRequired: 0 },
    ...changes,
  };
}

export interface FileChanges extends Partial<Omit<ExaminedFile, 'report' | 'texts'>> {
  readonly texts?: Readonly<Record<string, number | null>>;
}

/** Rules that checking these files tells, against a description and what was released. */
export function told(
  files: readonly FileChanges[],
  context: Partial<IdentityContext> & { readonly own?: Partial<Component> } = {},
): Told[] {
  const list: Told[] = [];
  const described = context.product ?? product({}, context.own);
  const examined = files.map(({ texts = {}, ...changes }, index) => ({
    name: `file-${index}.bin`,
    sha256: hash(String(index)),
    sizeBytes: 1000,
    head: undefined,
    entropy: undefined,
    format: 'cortex-m',
    identity: undefined,
    certificates: [],
    ...changes,
    texts: new Map(
      Object.entries(texts).map(([text, offset]) => [text, offset === null ? null : { offset }]),
    ),
    report: (rule: string, detail: string, evidence = {}) => {
      list.push({ rule, detail, evidence });
    },
  }));
  checkIdentity(examined, {
    version: '1.1.0',
    history: [],
    foreignTexts: [],
    now: '2026-06-01T12:00:00.000Z',
    ...context,
    product: described,
    component: context.component ?? (described.components[0] as Component),
  });
  return list;
}

/** Ids of the rules that {@link told} tells. */
export const rulesOf = (...args: Parameters<typeof told>): string[] =>
  told(...args).map(({ rule }) => rule);

/** A full package of the component that was released before. */
export function released(
  version: string,
  identity: ImageIdentity | undefined = undefined,
  changes: Partial<ReleasedPackage> & { readonly sha256?: string } = {},
): ReleasedPackage {
  const { sha256 = hash('e'), ...others } = changes;
  return {
    releaseId: `r-${version}`,
    componentId: 'STM32',
    packageType: 'full',
    sourceVersion: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    deltaProof: null,
    version,
    files: [
      {
        name: 'sensor.bin',
        role: 'image',
        sizeBytes: 1000,
        sha256,
        format: 'mcuboot',
        head: undefined,
        entropy: undefined,
        identity,
      },
    ],
    ...others,
  };
}
