/** Fewest characters of a reason: "ok" explains nothing to who reads the record later. */
export const minReasonLength = 10;

/** Whether two names mean the same person: case, accents' encoding and spaces do not matter. */
export function isSamePerson(one: string, other: string): boolean {
  const plain = (name: string): string =>
    name.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
  return plain(one) === plain(other);
}
