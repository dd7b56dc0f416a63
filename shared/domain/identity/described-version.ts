/** Whether a version text is a numbered version at all: a bare "1" is a build system's default. */
const numbered = /\d+\.\d+/;

/**
 * Compares the declared version with the one of an image's own descriptor: `unclear` when that is
 * no numbered version or a longer text around the declared one.
 */
export function compareWithDescribed(
  declared: string,
  described: string,
): 'same' | 'other' | 'unclear' {
  const plain = described.replace(/^[vV](?=\d)/, '');
  if (plain === declared.replace(/^[vV](?=\d)/, '')) return 'same';
  return !numbered.test(described) || containsVersion(described, declared) ? 'unclear' : 'other';
}

function containsVersion(text: string, version: string): boolean {
  for (let at = text.indexOf(version); at >= 0; at = text.indexOf(version, at + 1)) {
    const before = text.slice(0, at);
    const after = text.slice(at + version.length);
    if (!/[\d.]$/.test(before) && !/^(\d|\.\d)/.test(after)) return true;
  }
  return false;
}
