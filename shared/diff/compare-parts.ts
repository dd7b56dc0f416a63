import { mostListed } from '../domain/diff-limits.ts';
import type { PartChange, PartsReport } from '../domain/image-diff.ts';
import type { ElfPart } from '../formats/elf-parts.ts';
import { lastAtMost } from './areas.ts';

/**
 * Compares sections or symbols by their names. Several of one name, as of static functions, are paired in the order of
 * their addresses.
 */
export function compareParts(
  older: readonly ElfPart[],
  newer: readonly ElfPart[],
  limit = mostListed,
): PartsReport {
  const before = byName(older);
  const counts = { added: 0, removed: 0, resized: 0, changed: 0, moved: 0, same: 0 };
  const changes: PartChange[] = [];
  const tell = (was: ElfPart | undefined, is: ElfPart | undefined): void => {
    const change = changeOf(was, is);
    counts[change?.state ?? 'same']++;
    if (change) changes.push(change);
  };
  for (const [name, parts] of byName(newer)) {
    const others = before.get(name) ?? [];
    before.delete(name);
    const pairs = Math.max(parts.length, others.length);
    for (let index = 0; index < pairs; index++) tell(others[index], parts[index]);
  }
  for (const parts of before.values()) for (const part of parts) tell(part, undefined);
  changes.sort(
    (a, b) =>
      Math.abs(b.sizeChangeBytes) - Math.abs(a.sizeChangeBytes) ||
      b.changedBytes - a.changedBytes ||
      (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
  return {
    counts,
    listed: changes.slice(0, limit),
    notListed: Math.max(0, changes.length - limit),
  };
}

function byName(parts: readonly ElfPart[]): Map<string, ElfPart[]> {
  const groups = new Map<string, ElfPart[]>();
  for (const part of parts) {
    const group = groups.get(part.name);
    if (group) group.push(part);
    else groups.set(part.name, [part]);
  }
  for (const group of groups.values()) group.sort((a, b) => a.address - b.address);
  return groups;
}

/** What became of a part; null when nothing did. */
function changeOf(was: ElfPart | undefined, is: ElfPart | undefined): PartChange | null {
  const part = is ?? was;
  if (!part) return null;
  const changedBytes = differingBytes(was, is);
  const state = stateOf(was, is, changedBytes);
  if (state === null) return null;
  return {
    name: part.name,
    kind: part.kind,
    state,
    oldAddress: was?.address ?? null,
    newAddress: is?.address ?? null,
    oldSizeBytes: was?.sizeBytes ?? null,
    newSizeBytes: is?.sizeBytes ?? null,
    sizeChangeBytes: (is?.sizeBytes ?? 0) - (was?.sizeBytes ?? 0),
    changedBytes,
  };
}

function stateOf(
  was: ElfPart | undefined,
  is: ElfPart | undefined,
  changedBytes: number,
): PartChange['state'] | null {
  if (!was) return 'added';
  if (!is) return 'removed';
  if (was.sizeBytes !== is.sizeBytes) return 'resized';
  if (changedBytes > 0) return 'changed';
  return was.address === is.address ? null : 'moved';
}

function differingBytes(was: ElfPart | undefined, is: ElfPart | undefined): number {
  const before = was?.bytes ?? new Uint8Array(0);
  const after = is?.bytes ?? new Uint8Array(0);
  const shared = Math.min(before.length, after.length);
  let count = Math.max(before.length, after.length) - shared;
  for (let at = 0; at < shared; at++) if (before[at] !== after[at]) count++;
  return count;
}

/** Tells the symbol at an address of the flash, else the section, with the offset in it; null where there is none. */
export function placeNames(parts: {
  readonly sections: readonly ElfPart[];
  readonly symbols: readonly ElfPart[];
}): (address: number) => string | null {
  const finders = [parts.symbols, parts.sections].map((list) => {
    const sorted = list
      .filter(({ bytes, sizeBytes }) => bytes !== null && sizeBytes > 0)
      .sort((a, b) => a.loadAddress - b.loadAddress);
    return (address: number): string | null => {
      const found = sorted[lastAtMost(sorted, (part) => part.loadAddress, address)];
      if (!found || address >= found.loadAddress + found.sizeBytes) return null;
      const offset = address - found.loadAddress;
      return offset === 0 ? found.name : `${found.name}+0x${offset.toString(16).toUpperCase()}`;
    };
  });
  return (address) => {
    for (const find of finders) {
      const name = find(address);
      if (name !== null) return name;
    }
    return null;
  };
}
