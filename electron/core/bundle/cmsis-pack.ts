import { compareWithDescribed } from '../../../shared/domain/identity/described-version.ts';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { readRange } from '../../../shared/formats/image-facts.ts';
import { type Inside, nothingKnown, type Reading } from './reading.ts';

/** The largest ones of chip makers have some megabytes. */
const largestDescriptionBytes = 16 * 1024 * 1024;
const longestText = 200;
/** Descriptions have five levels; what is deeper was made to fill the memory. */
const deepestElement = 100;

/** Whether a member of an archive describes a CMSIS-Pack. */
export function isPackDescription(name: string): boolean {
  return /\.pdsc$/i.test(name);
}

/** A CMSIS-Pack has exactly one description, at its root: tells packs that tools would not find theirs in. */
export function checkPackLayout(names: readonly string[], { name, findings }: Reading): void {
  const descriptions = names.filter(isPackDescription);
  const atRoot = descriptions.filter((path) => !path.includes('/'));
  if (atRoot.length > 1) {
    findings.add('cmsis-pack.several', atRoot.join(', '), { expected: 'one .pdsc file' });
  } else if (atRoot.length === 0 && descriptions.length > 0 && /\.pack$/i.test(name)) {
    findings.add('cmsis-pack.not-at-root', `"${descriptions[0]}"`);
  }
}

interface Description {
  vendor: string;
  name: string;
  readonly releases: string[];
}

/**
 * Reads the description of a CMSIS-Pack: well-formed XML with vendor, name and releases, whose first
 * one is the newest. Source: Open-CMSIS-Pack specification, "Pack Description (*.PDSC) Format".
 */
export async function readPackDescription(source: ByteSource, reading: Reading): Promise<Inside> {
  const { name, findings, expectations } = reading;
  if (source.sizeBytes > largestDescriptionBytes) {
    findings.add('cmsis-pack.too-large', `${source.sizeBytes} bytes`, {
      expected: `at most ${largestDescriptionBytes} bytes`,
      found: `${source.sizeBytes} bytes`,
    });
    return nothingKnown;
  }
  const description = await parse(source, reading);
  if (description === null) return nothingKnown;
  const { vendor, name: product, releases } = description;
  const [newest] = releases;
  const missing = [
    ...(vendor === '' ? ['vendor'] : []),
    ...(product === '' ? ['name'] : []),
    ...(newest === undefined ? ['release'] : []),
  ];
  if (missing.length > 0 || newest === undefined) {
    findings.add('cmsis-pack.incomplete', `it names no ${missing.join(', no ')}`);
    return nothingKnown;
  }
  const expected = `${vendor}.${product}.pdsc`;
  if (name.toLowerCase() !== expected.toLowerCase())
    findings.add('cmsis-pack.name', `"${name}"`, { expected, found: name });
  const detail = `CMSIS-Pack ${vendor}::${product}, newest release ${newest}`;
  findings.add('cmsis-pack.description', `${detail}, ${releases.length} releases`);
  const { version: declared } = expectations;
  if (declared === undefined) return nothingKnown;
  const evidence = { expected: declared, found: newest };
  return {
    ...nothingKnown,
    version: { detail, evidence, relation: compareWithDescribed(declared, newest) },
  };
}

async function parse(source: ByteSource, { findings }: Reading): Promise<Description | null> {
  const description: Description = { vendor: '', name: '', releases: [] };
  const { SaxesParser } = await import('saxes');
  const parser = new SaxesParser({ position: true, xmlns: false });
  const path: string[] = [];
  let fault: string | null = null;
  parser.on('error', (error) => {
    fault ??= error.message.replace(/^(\d+):(\d+): /, 'line $1, column $2: ');
    // The parser would go on, and tell thousands of faults of what was made to have them.
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    path.push(name);
    if (path.length > deepestElement) {
      fault = `elements stand in more than ${deepestElement} others`;
      throw new Error(fault);
    }
    const { version } = attributes;
    const isRelease =
      path.length === 3 && path[0] === 'package' && path[1] === 'releases' && name === 'release';
    if (isRelease && version !== undefined)
      description.releases.push(version.slice(0, longestText));
  });
  parser.on('closetag', () => void path.pop());
  parser.on('text', (text) => {
    const key = path.length === 2 && path[0] === 'package' ? path[1] : undefined;
    if (key === 'vendor' || key === 'name')
      description[key] = `${description[key]}${text}`.trim().slice(0, longestText);
  });
  const decoder = new TextDecoder('utf-8');
  try {
    for await (const bytes of readRange(source, 0, source.sizeBytes))
      parser.write(decoder.decode(bytes, { stream: true }));
    parser.write(decoder.decode()).close();
  } catch (error) {
    if (fault === null) throw error;
  }
  if (fault === null) return description;
  findings.add('cmsis-pack.not-xml', fault);
  return null;
}
