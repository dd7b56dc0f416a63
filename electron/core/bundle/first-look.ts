import { open } from 'node:fs/promises';
import type { FileSoFar } from '../../../shared/domain/finding.ts';
import { hasMagic, recogniseDescribed } from '../../../shared/formats/described-format.ts';
import { headText } from '../../../shared/formats/head-text.ts';
import { sniff, sniffHeadBytes, sniffTailBytes } from '../../../shared/formats/sniff.ts';
import { fileSource } from './file-source.ts';
import { FindingList } from './finding-list.ts';
import { checkNameAndSize } from './name-checks.ts';
import type { FileExpectations } from './reading.ts';

/** What the first and the last bytes of a file tell, before anybody waits for all of it. */
export async function firstLook(
  index: number,
  file: { readonly path: string; readonly name: string },
  { fileTypes, formats = [] }: Pick<FileExpectations, 'fileTypes' | 'formats'>,
): Promise<FileSoFar> {
  const { path, name } = file;
  const handle = await open(path, 'r');
  try {
    const { size: sizeBytes } = await handle.stat();
    const source = fileSource(handle, sizeBytes);
    const head = await source.read(0, sniffHeadBytes);
    const tail = await source.read(Math.max(0, sizeBytes - sniffTailBytes), sniffTailBytes);
    const described = await recogniseDescribed(name, source, formats);
    const isDescribed = described !== null && sizeBytes > 0 && (await hasMagic(source, described));
    const told = sizeBytes === 0 ? 'empty' : sniff(head, tail);
    const format = isDescribed ? described.name : told;
    const findings = new FindingList();
    checkNameAndSize(name, format, sizeBytes, fileTypes, findings);
    return {
      index,
      name,
      sizeBytes,
      format,
      headText: headText(format, head),
      sha256: null,
      findings: findings.list(),
    };
  } finally {
    await handle.close();
  }
}
