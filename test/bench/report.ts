import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

const file = 'docs/benchmarks.md';

/** The cells of each row of a section's table, as an earlier run left it; the head is among them. */
export function sectionRows(id: string): readonly (readonly string[])[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const from = text.indexOf(`<!-- ${id} -->`);
  const section = from < 0 ? '' : text.slice(from, text.indexOf(`<!-- /${id} -->`));
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(2, -2).split(' | '));
}

/** Prints one section and rewrites it in docs/benchmarks.md: the machine, the date and the given lines (Markdown). */
export function writeSection(id: string, title: string, lines: readonly string[]): void {
  const [start, end] = [`<!-- ${id} -->`, `<!-- /${id} -->`];
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
  const section = [start, `## ${title}`, '', machine, '', ...lines, end].join('\n');
  console.log(section);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '# Benchmarks\n';
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  writeFileSync(
    file,
    from < 0
      ? `${text}\n${section}\n`
      : text.slice(0, from) + section + text.slice(to + end.length),
  );
}
