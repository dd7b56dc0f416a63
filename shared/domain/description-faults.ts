import type { Component, Product } from './product.ts';
import { boundsOf } from './version-range.ts';
import { followsScheme } from './version-scheme.ts';

/** A field of a product's description that contradicts another. */
export interface DescriptionFault {
  /** Where in the product it stands. */
  readonly path: readonly (string | number)[];
  readonly why: string;
}

/** What the fields of a product's description say against each other. */
export function descriptionFaults(product: Product): readonly DescriptionFault[] {
  return [
    ...product.components.flatMap((component, index) =>
      componentFaults(component).map(({ path, why }) => ({
        path: ['components', index, ...path],
        why,
      })),
    ),
    ...twice(product.components.map(({ id }) => id)).map((id) => ({
      path: ['components'],
      why: `${id} is there twice`,
    })),
    ...twice(product.components.map(({ imageNumber }) => imageNumber)).map((number) => ({
      path: ['components'],
      why: `two components have the imageNumber ${number}`,
    })),
    ...matrixFaults(product),
  ];
}

function componentFaults({
  versionScheme,
  minSourceVersion,
  requiredSteps = [],
  signing,
  memory = [],
}: Component): DescriptionFault[] {
  const faults: DescriptionFault[] = [];
  const add = (path: DescriptionFault['path'], why: string): void =>
    void faults.push({ path, why });
  if (minSourceVersion !== undefined && !followsScheme(versionScheme, minSourceVersion))
    add(['minSourceVersion'], `${minSourceVersion} is not written as versionScheme says`);
  for (const [index, version] of requiredSteps.entries()) {
    if (!followsScheme(versionScheme, version))
      add(['requiredSteps', index], `${version} is not written as versionScheme says`);
  }
  for (const name of twice((signing?.keys ?? []).map((key) => key.name)))
    add(['signing', 'keys'], `two keys have the name ${name}`);
  for (const [index, { role, sizeBytes, trailerBytes = 0 }] of memory.entries()) {
    if (trailerBytes > 0 && role !== 'slot')
      add(['memory', index, 'trailerBytes'], 'only a region with the role slot has a trailer');
    else if (trailerBytes >= sizeBytes)
      add(['memory', index, 'trailerBytes'], 'the trailer leaves nothing of the slot');
  }
  return faults;
}

function matrixFaults({ components, compatibility = [] }: Product): DescriptionFault[] {
  return compatibility.flatMap((row, index) =>
    Object.entries(row).flatMap(([id, range]) => {
      const path = ['compatibility', index, id];
      const component = components.find((candidate) => candidate.id === id);
      if (component === undefined) return [{ path, why: `the product has no component ${id}` }];
      const { versionScheme } = component;
      const wrong = boundsOf(range).find((version) => !followsScheme(versionScheme, version));
      return wrong === undefined
        ? []
        : [{ path, why: `${wrong} is not written as versionScheme says` }];
    }),
  );
}

function twice<T>(values: readonly T[]): T[] {
  return values.filter((value, at) => value !== undefined && values.indexOf(value) < at);
}
