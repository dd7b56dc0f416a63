import type { Report } from '../../formats/report.ts';
import { roleOfFormat } from '../file-role.ts';
import type { ContentEntropy } from '../finding.ts';

/** What these rules compare of a file; `head` holds its first bytes in hex. */
export interface FileBeginning {
  readonly name: string;
  readonly sizeBytes: number;
  readonly head?: string | undefined;
  readonly entropy?: ContentEntropy | undefined;
}

/** A file that is compared, and where to tell what differs. */
export interface ComparedFile extends FileBeginning {
  readonly format: string;
  readonly report: Report;
}

/** Files of an earlier full package of the same component. */
export interface EarlierPackage {
  readonly version: string;
  readonly files: readonly FileBeginning[];
}

interface EarlierFile extends FileBeginning {
  readonly version: string;
}

/** Packages from which a beginning is learned. */
export const learnedFromPackages = 6;
const fewestAgreeing = 3;
const fewestBytes = 4;
const largestChangePercent = 30;

/**
 * Compares each file with its like in the earlier packages of the component, oldest first: whether
 * it begins with the bytes that they began with, is about as large as the last, and is encrypted
 * only when that was.
 * Scripts are no images: they begin and grow as they like.
 */
export function checkBeginnings(
  files: readonly ComparedFile[],
  earlier: readonly EarlierPackage[],
): void {
  for (const file of files) {
    if (roleOfFormat(file.format) === 'script' || file.sizeBytes === 0) continue;
    const likes = earlier.flatMap((pkg) => likeOf(file, files, pkg)).slice(-learnedFromPackages);
    checkFirstBytes(file, likes);
    checkSize(file, likes.at(-1));
    checkEntropy(file, likes.at(-1));
  }
}

function checkFirstBytes(
  { name, head, report }: ComparedFile,
  likes: readonly EarlierFile[],
): void {
  const learned = learnedBytes(likes);
  if (learned === null || head === undefined || head.startsWith(learned.head)) return;
  const { count, version } = learned;
  report(
    'identity.fingerprint-differs',
    `"${name}": the last ${count} up to ${version} began alike`,
    {
      offset: 0,
      expected: learned.head,
      found: head.slice(0, learned.head.length),
    },
  );
}

function checkSize({ name, sizeBytes, report }: ComparedFile, last: EarlierFile | undefined): void {
  if (last === undefined || last.sizeBytes === 0) return;
  const changedBytes = Math.abs(sizeBytes - last.sizeBytes);
  if (100 * changedBytes <= largestChangePercent * last.sizeBytes) return;
  const direction = sizeBytes > last.sizeBytes ? 'larger' : 'smaller';
  const percent = `${Math.round((100 * changedBytes) / last.sizeBytes)} % ${direction}`;
  report('identity.size-differs', `"${name}" is ${percent} than in ${last.version}`, {
    expected: `${last.sizeBytes} bytes, give or take ${largestChangePercent} %`,
    found: `${sizeBytes} bytes`,
  });
}

/** A file that was encrypted and no longer is shows its code; the reverse may be one that no device can read. */
function checkEntropy(file: ComparedFile, last: EarlierFile | undefined): void {
  if (file.entropy === undefined || last?.entropy === undefined) return;
  const [found, expected] = [file.entropy.kind, last.entropy.kind];
  if ((found === 'random') === (expected === 'random')) return;
  const [now, before] = [found, expected].map((kind) =>
    kind === 'random' ? 'looks encrypted' : `is ${kind}`,
  );
  file.report('content.entropy-changed', `"${file.name}" ${now}; in ${last.version} it ${before}`, {
    expected,
    found,
  });
}

/**
 * What the newest have in common: at least three in a row, at least four bytes. A format that
 * changed is learned anew, and an outlier ends the row instead of raising alarms for ever.
 */
function learnedBytes(
  likes: readonly EarlierFile[],
): { readonly head: string; readonly count: number; readonly version: string } | null {
  const newest = likes.at(-1);
  if (newest === undefined) return null;
  let head = newest.head ?? '';
  let count = 0;
  for (const like of likes.toReversed()) {
    const common = commonBytes(head, like.head ?? '');
    if (common.length < 2 * fewestBytes) break;
    head = common;
    count += 1;
  }
  return count < fewestAgreeing ? null : { head, count, version: newest.version };
}

/** The whole bytes, in hex, with which both begin. */
function commonBytes(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one.slice(length, length + 2) === other.slice(length, length + 2))
    length += 2;
  return one.slice(0, length);
}

/** The file of an earlier package that this one follows: the only one of its type, else the one of its name. */
function likeOf(
  file: FileBeginning,
  siblings: readonly FileBeginning[],
  { version, files }: EarlierPackage,
): EarlierFile[] {
  const ofType = (list: readonly FileBeginning[]) =>
    list.filter(({ name }) => extensionOf(name) === extensionOf(file.name));
  const candidates = ofType(files);
  const isOnly = candidates.length === 1 && ofType(siblings).length === 1;
  const like = isOnly
    ? candidates[0]
    : candidates.find(({ name }) => plainName(name) === plainName(file.name));
  return like === undefined ? [] : [{ ...like, version }];
}

const extensionOf = (name: string): string =>
  /(\.tar)?\.[^.]*$/.exec(name.toLowerCase())?.[0] ?? '';

/** A name without its numbers, which are those of the version. */
const plainName = (name: string): string => name.toLowerCase().replace(/\d+/g, '');
