import type { DescribedFormat } from '../../../shared/domain/described-format.ts';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { type DescribedContent, readDescribed } from '../../../shared/formats/described-format.ts';
import type { FindingList } from './finding-list.ts';

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
