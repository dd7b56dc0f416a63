import { stat } from 'node:fs/promises';
import { addressOverlap, storedSegments } from '../../../shared/domain/address-overlap.ts';
import type { InspectedFile, InspectReport } from '../../../shared/domain/finding.ts';
import { checkIdentity } from '../../../shared/domain/identity/check-identity.ts';
import { checkBuildDate } from '../../../shared/domain/identity/date-rules.ts';
import type { ExaminedFile } from '../../../shared/domain/identity/examined-file.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { maxFilesPerPackage } from '../../../shared/domain/limits.ts';
import { reportOf } from '../../../shared/domain/verdict.ts';
import { hexAddress } from '../../../shared/formats/report.ts';
import type { FindingList } from './finding-list.ts';
import { type FileResult, inspectFile } from './inspect-file.ts';
import { checkParts } from './name-checks.ts';
import type { FileExpectations } from './reading.ts';

/** What `bundle.inspect` needs to know; `fileTypes` holds the user's own extensions too. */
export interface InspectInput extends FileExpectations {
  readonly files: readonly { readonly path: string; readonly name: string }[];
}

/** Inspects the files of a would-be version package; a bad file is a finding, not an error. */
export async function inspectFiles(
  input: InspectInput,
  context: WorkContext,
): Promise<InspectReport> {
  const sizes = await Promise.all(input.files.map(async ({ path }) => (await stat(path)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  const control = {
    signal: context.signal,
    onBytes: (count: number): void => {
      done += count;
      context.onProgress({ step: 'Reading the files', done, total, unit: 'bytes' });
    },
  };
  const results: FileResult[] = [];
  for (const [index, { path, name }] of input.files.entries()) {
    const result = await inspectFile(path, name, input, control);
    results.push(result);
    const { segments: _inTheReport, ...file } = result.file;
    context.onFileSoFar?.({ ...file, index, headText: null, findings: result.findings.list() });
  }
  checkTogether(results);
  checkParts(results.map(({ file, findings }) => ({ name: file.name, report: findings.add })));
  const now = input.identity?.now ?? new Date().toISOString();
  const examined = results.map(examine);
  for (const file of examined) checkBuildDate(file, now);
  if (input.identity) checkIdentity(examined, input.identity);
  const files = results.map(({ file, findings }) => ({ ...file, findings: findings.list() }));
  return reportOf(files);
}

function examine({ file, findings, found }: FileResult): ExaminedFile {
  const { name, sha256, sizeBytes, head, entropy } = file;
  const { texts, certificates, image } = found;
  const { format, identity } = image ?? { format: file.format, identity: undefined };
  const report = findings.add;
  return {
    name,
    sha256,
    sizeBytes,
    head,
    entropy,
    format,
    identity,
    texts,
    certificates,
    report,
  };
}

/** Rules about the package as a whole; each is told at the file that breaks it. */
function checkTogether(results: readonly FileResult[]): void {
  const names = new Map<string, string>();
  const digests = new Map<string, string>();
  // One part of several may carry the version: only a package without any hit is suspicious.
  const versionFound = results.some(({ found }) => found.versionSearch === 'found');
  for (const [index, { file, findings, found }] of results.entries()) {
    if (index >= maxFilesPerPackage) {
      findings.add('package.too-many-files', `"${file.name}" is file ${index + 1}`, {
        expected: `at most ${maxFilesPerPackage} files`,
        found: `${results.length} files`,
      });
    }
    const sameName = names.get(file.name.toLowerCase());
    if (sameName !== undefined) {
      findings.add('package.duplicate-name', `"${file.name}" and "${sameName}"`);
    }
    names.set(file.name.toLowerCase(), file.name);
    const sameContent = digests.get(file.sha256);
    if (sameContent !== undefined) {
      findings.add('package.duplicate-content', `"${file.name}" equals "${sameContent}"`, {
        found: file.sha256,
      });
    }
    digests.set(file.sha256, file.name);
    for (const { file: before } of results.slice(0, index)) tellOverlap(file, before, findings);
    if (found.versionSearch === 'not-found' && !versionFound) {
      findings.add('identity.version-not-found', `no file of the package contains it`);
    }
  }
}

function tellOverlap(file: InspectedFile, before: InspectedFile, findings: FindingList): void {
  // The same content twice is told already.
  if (file.sha256 === before.sha256) return;
  const overlap = addressOverlap(storedSegments(file), storedSegments(before));
  if (overlap === null) return;
  const { start, sizeBytes } = overlap.first;
  const found = `${hexAddress(start)}–${hexAddress(start + sizeBytes - 1)}`;
  const detail = `${overlap.sizeBytes} bytes are in "${before.name}" too, the first at ${hexAddress(start)}`;
  findings.add('package.address-overlap', detail, { found });
}
