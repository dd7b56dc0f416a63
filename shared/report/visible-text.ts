const line = /\r?\n/g;
const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text from a file or a person with everything made visible that is not: control characters,
 * marks that turn the reading direction, lone surrogates. A line break becomes a space.
 */
export function visibleText(text: string): string {
  return text.replace(line, ' ').replace(unseen, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}
