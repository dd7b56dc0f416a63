import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Node, Parser } from 'web-tree-sitter';
import type { FindingList } from './finding-list.ts';

/** Parsing takes about 0.2 s a megabyte; what takes longer was made to. */
const longestParseMs = 2000;
const mostErrors = 5;

type Lenient = (node: Node) => string | null;

/** What the grammar takes although Python 3 does not, and why not; null when it is right. */
const lenient: ReadonlyMap<string, Lenient> = new Map<string, Lenient>([
  ['print_statement', () => '"print" needs brackets'],
  ['exec_statement', () => '"exec" needs brackets'],
  ['<>', () => '"<>" is written "!="'],
  ['try_statement', (node: Node) => (node.children.some(isHandler) ? null : tryAlone)],
]);
const tryAlone = '"try" without "except" or "finally"';

let parser: Promise<Parser> | undefined;

/** The parser is made once in a process, and only when there is a script to parse. */
async function makeParser(): Promise<Parser> {
  const { resolve } = createRequire(import.meta.url);
  const [{ Language, Parser: PythonParser }, runtime, grammar] = await Promise.all([
    import('web-tree-sitter'),
    readFile(resolve('web-tree-sitter/web-tree-sitter.wasm')),
    readFile(resolve('tree-sitter-python/tree-sitter-python.wasm')),
  ]);
  await PythonParser.init({ wasmBinary: runtime });
  return new PythonParser().setLanguage(await Language.load(grammar));
}

/**
 * Parses a script without running it and tells its syntax errors with line and column; true when it
 * was parsed to its end.
 */
export async function parsePython(
  text: string,
  findings: FindingList,
  signal: AbortSignal,
): Promise<boolean> {
  parser ??= makeParser();
  const deadline = performance.now() + longestParseMs;
  const tree = (await parser).parse(text, null, {
    progressCallback: () => signal.aborted || performance.now() > deadline,
  });
  signal.throwIfAborted();
  if (tree === null) {
    (await parser).reset();
    findings.add('script.too-long', `parsing took over ${longestParseMs} ms`);
    return false;
  }
  try {
    tellErrors(tree.rootNode, findings);
  } finally {
    tree.delete();
  }
  return true;
}

function tellErrors(root: Node, findings: FindingList): void {
  for (const node of errorNodes(root)) {
    const { startPosition: start, endPosition: end } = node;
    // The parser gave up at the end of what it could not place; over several lines that says nothing.
    const place = node.isMissing || start.row !== end.row ? start : end;
    const why = node.isMissing ? `"${node.type}" is missing here` : 'this is no Python';
    findings.add('script.syntax', `line ${place.row + 1}, column ${place.column + 1}: ${why}`);
  }
  for (const node of root.descendantsOfType([...lenient.keys()])) {
    const why = lenient.get(node.type)?.(node) ?? null;
    const { row, column } = node.startPosition;
    if (why !== null)
      findings.add('script.syntax', `line ${row + 1}, column ${column + 1}: ${why}`);
  }
}

function isHandler({ type }: Node): boolean {
  return type.startsWith('except') || type === 'finally_clause';
}

/** The first error nodes in the order of the text, without those inside another one. */
function errorNodes(root: Node): readonly Node[] {
  const found: Node[] = [];
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (found.length === mostErrors) break;
    if (node.isError || node.isMissing) found.push(node);
    else if (node.hasError) waiting.push(...node.children.reverse());
  }
  return found;
}
