import {
  chinaTelecomIccidPattern,
  defaultFileTypes,
  fileTypePattern,
} from '../../../shared/domain/limits.ts';

/** Why a text cannot be added as a file type, or null; nothing is wrong with an empty field yet. */
export function fileTypeProblem(type: string, known: readonly string[]): string | null {
  if (type === '') return null;
  if (!type.startsWith('.')) return 'Begin with a dot, for example ".rbl"';
  if (!fileTypePattern.test(type)) return 'A dot and 1 to 16 letters, digits, "_" or "."';
  const lower = type.toLowerCase();
  if ([...defaultFileTypes, ...known].some((other) => other.toLowerCase() === lower))
    return 'This type is allowed already';
  return null;
}

/** Why a text cannot be added as an ICCID prefix of China Telecom, or null. */
export function iccidPrefixProblem(prefix: string, known: readonly string[]): string | null {
  if (prefix === '') return null;
  if (!/^\d*$/.test(prefix)) return 'Digits only';
  if (!/^8986(03|11)/.test(prefix)) return 'It must begin with 898603 or 898611';
  if (!chinaTelecomIccidPattern.test(prefix)) return 'An ICCID has at most 20 digits';
  if (known.includes(prefix)) return 'This prefix is in the list already';
  const wider = known.find((other) => prefix.startsWith(other));
  return wider === undefined ? null : `${wider} in the list covers it already`;
}
