import { type DescribedFormat, magicBytes } from '../../../shared/domain/described-format.ts';
import { compareWithDescribed } from '../../../shared/domain/identity/described-version.ts';
import { type ByteSource, memorySource } from '../../../shared/formats/byte-source.ts';
import {
  type DescribedContent,
  hasMagic,
  readDescribed,
  recogniseDescribed,
} from '../../../shared/formats/described-format.ts';
import { sniffHeadBytes } from '../../../shared/formats/sniff.ts';
import type { FindingList } from './finding-list.ts';
import { type FormatReader, nothingKnown } from './reading.ts';

/** Reads a file as slipway.yaml describes its format and tells when all of it fits. */
export async function checkDescribed(
  source: ByteSource,
  format: DescribedFormat,
  findings: FindingList,
): Promise<DescribedContent> {
  // The pattern engine is large, and few formats search for their version.
  const { findText } = await import('./linear-regex.ts');
  const content = await readDescribed(source, format, findings.add, findText);
  if (content.recognised && !findings.blocked) findings.add('format.read', content.summary);
  return content;
}

/**
 * The described format of a file, or null. A file that has the extension but not the magic of one
 * is blocked, and checked as what its content is.
 */
export async function describedFormatOf(
  name: string,
  source: ByteSource,
  formats: readonly DescribedFormat[],
  findings: FindingList,
): Promise<DescribedFormat | null> {
  const format = await recogniseDescribed(name, source, formats);
  if (format === null || (await hasMagic(source, format))) return format;
  await checkDescribed(source, format, findings);
  return null;
}

/** The same for a member of an archive, of which the beginning is known: a magic must stand in it. */
export async function describedMember(
  name: string,
  head: Uint8Array,
  formats: readonly DescribedFormat[] = [],
  findings: FindingList,
): Promise<DescribedFormat | null> {
  if (head.length === 0) return null;
  const near = formats.filter(
    ({ magic }) => magic === undefined || magic.offset + magicBytes(magic).length <= sniffHeadBytes,
  );
  return describedFormatOf(name, memorySource(head), near, findings);
}

/** How content of a described format is checked. */
export function describedReader(described: DescribedFormat): FormatReader {
  return {
    search: 'bytes',
    read: async (source, { expectations: { version: declared }, findings }) => {
      const { version } = await checkDescribed(source, described, findings);
      if (version === undefined) return nothingKnown;
      const inside = { ...nothingKnown, identity: { version } };
      if (declared === undefined) return inside;
      const relation = compareWithDescribed(declared, version);
      const detail = `the ${described.name} says "${version}"`;
      const evidence = { expected: declared, found: version };
      return { ...inside, version: { detail, evidence, relation } };
    },
  };
}
