import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document, LineCounter } from 'yaml';
import { z } from 'zod';
import type { DescribedFormat } from '../../../shared/domain/described-format.ts';
import { type WorkspaceConfig, workspaceConfigSchema } from '../../../shared/domain/product.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';

export const configFileName = 'slipway.yaml';

/**
 * Reads and validates `slipway.yaml`.
 * @throws ProblemError `not-a-workspace` | `config-invalid` naming the line and the field
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
  const { document, lines } = await parse(path, text);
  return validate(path, document, lines);
}

/** Changes settings in `slipway.yaml`, keeping the comments and the order of everything else. */
export function updateConfig(
  folder: string,
  changes: {
    readonly fileTypes?: readonly string[] | undefined;
    readonly chinaTelecomIccidPrefixes?: readonly string[] | undefined;
  },
): Promise<WorkspaceConfig> {
  return edit(folder, (document) => {
    for (const [key, value] of Object.entries(changes)) {
      if (value !== undefined) document.set(key, value);
    }
  });
}

/** Puts a format into `formats`, in the place of the one named `replaces` or at the end. */
export function saveFormat(
  folder: string,
  format: DescribedFormat,
  replaces: string,
): Promise<WorkspaceConfig> {
  return edit(folder, (document) => {
    const index = indexOfFormat(document, replaces);
    const written = Object.entries(format).filter(([, value]) => !isEmptyList(value));
    const node = document.createNode(Object.fromEntries(written));
    if (index >= 0) document.setIn(['formats', index], node);
    else if (document.hasIn(['formats', 0])) document.addIn(['formats'], node);
    else document.set('formats', document.createNode([node]));
  });
}

/** Takes a format out of `formats`. */
export function removeFormat(folder: string, name: string): Promise<WorkspaceConfig> {
  return edit(folder, (document) => {
    document.deleteIn(['formats', indexOfFormat(document, name)]);
  });
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function indexOfFormat(document: Document, name: string): number {
  for (let index = 0; document.hasIn(['formats', index]); index += 1)
    if (document.getIn(['formats', index, 'name']) === name) return index;
  return -1;
}

/** The text is written only when what it says is valid. */
async function edit(
  folder: string,
  change: (document: Document) => void,
): Promise<WorkspaceConfig> {
  const path = join(folder, configFileName);
  const { document } = await parse(path, await readFile(path, 'utf8'));
  change(document);
  const text = document.toString();
  const changed = await parse(path, text);
  const config = await validate(path, changed.document, changed.lines);
  await writeFileAtomic(path, text);
  return config;
}

async function parse(
  path: string,
  text: string,
): Promise<{ document: Document; lines: LineCounter }> {
  const { LineCounter: Counter, parseDocument } = await import('yaml');
  const lines = new Counter();
  const document = parseDocument(text, { lineCounter: lines });
  const [syntaxError] = document.errors;
  if (syntaxError) throw invalid(path, syntaxError.message);
  return { document, lines };
}

async function validate(
  path: string,
  document: Document,
  lines: LineCounter,
): Promise<WorkspaceConfig> {
  const { isMap, isNode, isScalar } = await import('yaml');
  /** Line of what an issue is about: the key or value itself, else the nearest thing around it. */
  const lineOf = (fields: readonly PropertyKey[]): number | null => {
    const parent = document.getIn(fields.slice(0, -1), true);
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && key.value === fields.at(-1))
      : undefined;
    const node = pair?.key ?? document.getIn(fields, true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    return fields.length === 0 ? null : lineOf(fields.slice(0, -1));
  };
  const tell = (issues: readonly { path: readonly PropertyKey[]; message: string }[]): never => {
    const texts = issues.map(({ path: fields, message }) => {
      const line = lineOf(fields);
      const place = fields.length === 0 ? '' : `${z.core.toDotPath([...fields])}: `;
      return `${line === null ? '' : `line ${line}: `}${place}${message}`;
    });
    throw invalid(path, texts.join('\n'));
  };
  const parsed = workspaceConfigSchema.safeParse(document.toJS());
  if (!parsed.success) return tell(parsed.error.issues.map(named));
  const patterns = await patternIssues(parsed.data.formats);
  return patterns.length > 0 ? tell(patterns) : parsed.data;
}

/** An unknown key is told at the key. */
function named(issue: z.core.$ZodIssue): { path: readonly PropertyKey[]; message: string } {
  const [key] = issue.code === 'unrecognized_keys' ? issue.keys : [];
  return { path: key === undefined ? issue.path : [...issue.path, key], message: issue.message };
}

async function patternIssues(
  formats: readonly DescribedFormat[],
): Promise<{ path: PropertyKey[]; message: string }[]> {
  const issues: { path: PropertyKey[]; message: string }[] = [];
  for (const [index, { version }] of formats.entries()) {
    if (version === undefined || !('pattern' in version)) continue;
    const { patternFault } = await import('../bundle/linear-regex.ts');
    const message = patternFault(version.pattern);
    if (message !== null) issues.push({ path: ['formats', index, 'version', 'pattern'], message });
  }
  return issues;
}

const invalid = (path: string, detail: string) =>
  problem(
    'config-invalid',
    'The workspace description is invalid',
    `${path}: ${detail}`,
    'Correct the named field and try again.',
    'usage',
  );
