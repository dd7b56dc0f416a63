import { stat } from 'node:fs/promises';
import type { InspectReport } from '../../../shared/domain/finding.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { maxFilesPerPackage } from '../../../shared/domain/limits.ts';
import { worstVerdict } from '../../../shared/domain/verdict.ts';
import { type FileResult, inspectFile } from './inspect-file.ts';
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
  for (const { path, name } of input.files) {
    results.push(await inspectFile(path, name, input, control));
  }
  checkTogether(results);
  const files = results.map(({ file, findings }) => ({ ...file, findings: findings.list() }));
  const verdicts = files.flatMap((file) => file.findings.map(({ verdict }) => verdict));
  return { verdict: worstVerdict(verdicts), files };
}

/** Rules about the package as a whole; each is told at the file that breaks it. */
function checkTogether(results: readonly FileResult[]): void {
  const names = new Map<string, string>();
  const digests = new Map<string, string>();
  // One part of several may carry the version: only a package without any hit is suspicious.
  const versionFound = results.some(({ versionSearch }) => versionSearch === 'found');
  for (const [index, { file, findings, versionSearch }] of results.entries()) {
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
    if (versionSearch === 'not-found' && !versionFound) {
      findings.add('identity.version-not-found', `no file of the package contains it`);
    }
  }
}
