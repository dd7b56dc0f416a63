const idPattern = /^[A-Za-z0-9_.:-]{1,128}$/;

/** What a text area with one device id per line holds. */
export interface IdList {
  /** In the order written, each once. */
  readonly ids: readonly string[];
  readonly duplicateCount: number;
  /** Lines that cannot be a device id; `line` counts from 1. */
  readonly badLines: readonly { readonly line: number; readonly text: string }[];
}

/** Reads one device id per line; blank lines and the spaces around an id mean nothing. */
export function parseIdList(text: string): IdList {
  const ids = new Set<string>();
  const badLines: { line: number; text: string }[] = [];
  let duplicateCount = 0;
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const id = raw.trim();
    if (id === '') continue;
    if (!idPattern.test(id)) badLines.push({ line: index + 1, text: id.slice(0, 60) });
    else if (ids.has(id)) duplicateCount++;
    else ids.add(id);
  }
  return { ids: [...ids], duplicateCount, badLines };
}

/** Devices named on both lists: the blacklist wins for each of them. */
export function onBothLists(whitelist: IdList, blacklist: IdList): readonly string[] {
  const white = new Set(whitelist.ids);
  return blacklist.ids.filter((id) => white.has(id));
}

/** One line under the text area, for example `12 devices, 1 repeated`. */
export function idListText({ ids, duplicateCount, badLines }: IdList): string {
  const parts = [`${ids.length.toLocaleString('en')} ${ids.length === 1 ? 'device' : 'devices'}`];
  if (duplicateCount > 0) parts.push(`${duplicateCount.toLocaleString('en')} repeated`);
  if (badLines.length > 0)
    parts.push(
      `${badLines.length.toLocaleString('en')} not a device id (line ${badLines[0]?.line}: ${badLines[0]?.text})`,
    );
  return parts.join(', ');
}
