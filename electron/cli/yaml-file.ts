import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { problem } from '../../shared/domain/problem.ts';

/** Reads a YAML file that a person wrote. @throws ProblemError with `code` when it is not what the schema says */
export async function readYaml<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  { code, title, hint }: { readonly code: string; readonly title: string; readonly hint: string },
): Promise<z.infer<Schema>> {
  const text = await readFile(file, 'utf8');
  const invalid = (why: string) => problem(code, title, `${file}: ${why}`, hint, 'usage');
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
  const result = schema.safeParse(content);
  if (!result.success) throw invalid(z.prettifyError(result.error));
  return result.data;
}
