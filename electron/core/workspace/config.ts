import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type WorkspaceConfig, workspaceConfigSchema } from '../../../shared/domain/product.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';

export const configFileName = 'slipway.yaml';

/**
 * Reads and validates `slipway.yaml`.
 * @throws ProblemError `not-a-workspace` | `config-invalid` naming the line or the field
 */
export async function readConfig(folder: string): Promise<WorkspaceConfig> {
  const path = join(folder, configFileName);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
    throw problem(
      'not-a-workspace',
      'Not a Slipway workspace',
      `${path} was not found.`,
      `Open a folder that holds ${configFileName}, or start from the sample project.`,
      'usage',
    );
  });
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const [syntaxError] = document.errors;
  if (syntaxError) throw invalid(path, syntaxError.message);
  const parsed = workspaceConfigSchema.safeParse(document.toJS());
  if (!parsed.success) throw invalid(path, z.prettifyError(parsed.error));
  return parsed.data;
}

/** Changes settings in `slipway.yaml`, keeping the comments and the order of everything else. */
export async function updateConfig(
  folder: string,
  changes: {
    readonly fileTypes?: readonly string[] | undefined;
    readonly chinaTelecomIccidPrefixes?: readonly string[] | undefined;
  },
): Promise<WorkspaceConfig> {
  const path = join(folder, configFileName);
  const { parseDocument } = await import('yaml');
  const document = parseDocument(await readFile(path, 'utf8'));
  for (const [key, value] of Object.entries(changes)) {
    if (value !== undefined) document.set(key, value);
  }
  const parsed = workspaceConfigSchema.safeParse(document.toJS());
  if (!parsed.success) throw invalid(path, z.prettifyError(parsed.error));
  await writeFileAtomic(path, document.toString());
  return parsed.data;
}

const invalid = (path: string, detail: string) =>
  problem(
    'config-invalid',
    'The workspace description is invalid',
    `${path}: ${detail}`,
    'Correct the named field and try again.',
    'usage',
  );
