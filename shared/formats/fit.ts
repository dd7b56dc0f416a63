import type { ImageSegment } from '../domain/finding.ts';
import type { HardwareField } from '../domain/image-identity.ts';
import type { ByteSource } from './byte-source.ts';
import { readDeviceTree, type TreeProperty } from './device-tree.ts';
import {
  type ContentHash,
  fieldText,
  firstForeignByte,
  type HashAlgorithm,
  hexText,
  type ImageFacts,
  readRange,
  type StartHash,
  viewOf,
} from './image-facts.ts';
import type { Report } from './report.ts';

/** Image nodes may repeat the same data under many hashes; more than this times the file is a trap. */
const mostHashedTimes = 8;
/** A FIT image holds a tree for each board; more than this are not looked into. */
const mostReadTrees = 64;
const algorithms: ReadonlySet<string> = new Set([
  'crc32',
  'md5',
  'sha1',
  'sha256',
  'sha384',
  'sha512',
]);

type Node = ReadonlyMap<string, TreeProperty>;

interface Image {
  readonly name: string;
  readonly node: Node;
  readonly from: number;
  readonly to: number;
}

/**
 * Reads a device tree blob, or a FIT image: a tree whose `/images` nodes carry data, inside or
 * behind the tree, with hashes that are computed again. Returns null after a blocking report.
 * Source: Flattened Image Tree Specification; Devicetree Specification v0.4.
 */
export async function readFit(
  source: ByteSource,
  report: Report,
  startHash: StartHash,
): Promise<ImageFacts | null> {
  const tree = await readDeviceTree(source, report, isKept);
  if (tree === null) return null;
  const nodes = new Map<string, Map<string, TreeProperty>>();
  for (const property of tree.properties) {
    const node = nodes.get(property.path) ?? new Map<string, TreeProperty>();
    nodes.set(property.path, node.set(property.name, property));
  }
  const images = findImages(source, tree.totalBytes, nodes, report);
  if (images === null) return null;
  const hashes = await checkHashes(source, images, nodes, report, startHash);
  if (hashes === null) return null;
  const signed = checkSigned(nodes, report);
  if (!checkConfigurations(nodes, images, report)) return null;
  const end = Math.max(tree.totalBytes, ...images.map(({ to }) => to));
  const foreign = await firstForeignByte(source, end);
  if (foreign !== null) {
    report('fit.rest', `${source.sizeBytes - end} bytes follow`, { offset: foreign });
  }
  const hardware = compatibleOf(nodes);
  if (images.length === 0) {
    const boards = hardware.map(({ value }) => value).join(', ');
    const summary = `device tree: ${tree.nodes} nodes, every block lies inside`;
    return {
      summary: boards === '' ? summary : `${summary}, for ${boards}`,
      segments: [],
      compressed: false,
      identity: { hardware },
    };
  }
  hardware.push(...(await compatibleOfTrees(source, images)));
  const builtSec = cells(nodes.get('/')?.get('timestamp'));
  return {
    identity: {
      hardware,
      signed,
      ...(builtSec ? { builtAt: new Date(builtSec * 1000).toISOString() } : {}),
    },
    summary: `FIT: ${images.length} images, ${hashes} hashes are right`,
    segments: images.flatMap(segmentOf),
    compressed: images.some(isCompressed),
  };
}

/** Root, image, hash and configuration nodes; a hash or signature is two below `/images`. */
function isKept(path: string): boolean {
  return path === '/' || /^\/(images|configurations)(\/|$)/.test(path);
}

function text(property: TreeProperty | undefined): string | undefined {
  return property === undefined ? undefined : fieldText(property.value);
}

/** A list of texts, each ended by NUL. */
function texts({ value }: TreeProperty): string[] {
  const list: string[] = [];
  for (let at = 0; at < value.length; ) {
    const item = fieldText(value.subarray(at));
    list.push(item);
    at += item.length + 1;
  }
  return list;
}

/** Boards that the root or a configuration names. */
function compatibleOf(nodes: ReadonlyMap<string, Node>): HardwareField[] {
  return [...nodes].flatMap(([path, node]) => {
    const compatible = /^\/(configurations\/[^/]+)?$/.test(path) && node.get('compatible');
    return compatible
      ? texts(compatible).map((value) => ({ field: 'compatible' as const, value }))
      : [];
  });
}

/** Boards that the device trees inside name: mkimage copies them to no configuration by itself. */
async function compatibleOfTrees(
  source: ByteSource,
  images: readonly Image[],
): Promise<HardwareField[]> {
  const fields: HardwareField[] = [];
  const trees = images.filter((image) => {
    return text(image.node.get('type')) === 'flat_dt' && !isCompressed(image);
  });
  for (const { from, to } of trees.slice(0, mostReadTrees)) {
    const part: ByteSource = {
      sizeBytes: to - from,
      read: (offset, length) => source.read(from + offset, Math.min(length, to - from - offset)),
    };
    let isWhole = true;
    const onDamage = (): void => {
      isWhole = false;
    };
    const tree = await readDeviceTree(part, onDamage, (path) => path === '/');
    const compatible = tree?.properties.find(({ name }) => name === 'compatible');
    // A damaged tree is told by its hash; it names nothing.
    if (!isWhole || compatible === undefined) continue;
    fields.push(...texts(compatible).map((value) => ({ field: 'compatible' as const, value })));
  }
  return fields;
}

/** A number of one or two cells; null when it is none or too large. */
function cells(property: TreeProperty | undefined): number | null {
  if (property === undefined || (property.sizeBytes !== 4 && property.sizeBytes !== 8)) return null;
  const view = viewOf(property.value);
  const value = property.sizeBytes === 4 ? view.getUint32(0) : Number(view.getBigUint64(0));
  return Number.isSafeInteger(value) ? value : null;
}

function isCompressed({ node }: Image): boolean {
  return (text(node.get('compression')) ?? 'none') !== 'none';
}

function segmentOf(image: Image): readonly ImageSegment[] {
  const start = cells(image.node.get('load'));
  const sizeBytes = image.to - image.from;
  return start === null || sizeBytes === 0 || isCompressed(image) ? [] : [{ start, sizeBytes }];
}

/** The images and where their data lies; null when some lies outside the file. */
function findImages(
  source: ByteSource,
  totalBytes: number,
  nodes: ReadonlyMap<string, Node>,
  report: Report,
): readonly Image[] | null {
  const images: Image[] = [];
  const externalBase = Math.ceil(totalBytes / 4) * 4;
  for (const [path, node] of nodes) {
    const name = /^\/images\/([^/]+)$/.exec(path)?.[1];
    if (name === undefined) continue;
    const data = node.get('data');
    const position = cells(node.get('data-position'));
    const relative = cells(node.get('data-offset'));
    const from = data?.offset ?? position ?? (relative === null ? null : externalBase + relative);
    const sizeBytes = data?.sizeBytes ?? cells(node.get('data-size'));
    if (from === null || sizeBytes === null) {
      report('fit.no-data', `image "${name}"`, { member: name });
      continue;
    }
    if (from + sizeBytes > source.sizeBytes) {
      report('fit.truncated', `the data of image "${name}" reaches beyond the end`, {
        member: name,
        expected: `${from + sizeBytes} bytes`,
        found: `${source.sizeBytes} bytes`,
      });
      return null;
    }
    images.push({ name, node, from, to: from + sizeBytes });
  }
  return images;
}

/** The number of right hashes; null when one is wrong. */
async function checkHashes(
  source: ByteSource,
  images: readonly Image[],
  nodes: ReadonlyMap<string, Node>,
  report: Report,
  startHash: StartHash,
): Promise<number | null> {
  const hashNodes = new Map<string, Node[]>();
  for (const [path, node] of nodes) {
    const name = /^\/images\/([^/]+)\/hash[^/]*$/.exec(path)?.[1];
    if (name === undefined) continue;
    const known = hashNodes.get(name);
    if (known === undefined) hashNodes.set(name, [node]);
    else known.push(node);
  }
  let budgetBytes = source.sizeBytes * mostHashedTimes;
  let right = 0;
  let whole = true;
  for (const image of images) {
    const own = hashNodes.get(image.name) ?? [];
    if (own.length === 0) report('fit.no-hash', `image "${image.name}"`, { member: image.name });
    for (const node of own) {
      budgetBytes -= image.to - image.from;
      if (budgetBytes < 0) {
        report('fit.hash-not-checked', 'too many hashes for a file of this size', {
          member: image.name,
        });
        return whole ? right : null;
      }
      const verdict = await checkHash(source, image, node, report, startHash);
      if (verdict === 'right') right += 1;
      else if (verdict === 'wrong') whole = false;
    }
  }
  return whole ? right : null;
}

async function checkHash(
  source: ByteSource,
  { name, from, to }: Image,
  node: Node,
  report: Report,
  startHash: StartHash,
): Promise<'right' | 'wrong' | 'unknown'> {
  const algorithm = text(node.get('algo')) ?? '';
  const stored = node.get('value');
  const hash = stored === undefined ? null : beginHash(algorithm, startHash);
  if (stored === undefined || hash === null) {
    const what = stored === undefined ? 'has no value' : `uses "${algorithm}"`;
    report('fit.hash-not-checked', `a hash of image "${name}" ${what}`, { member: name });
    return 'unknown';
  }
  for await (const bytes of readRange(source, from, to)) hash.update(bytes);
  const expected = hexText(hash.digest());
  const found = hexText(stored.value);
  if (expected === found) return 'right';
  report('fit.hash', `${algorithm} of image "${name}"`, {
    member: name,
    offset: stored.offset,
    expected,
    found,
  });
  return 'wrong';
}

function beginHash(algorithm: string, startHash: StartHash): ContentHash | null {
  return algorithms.has(algorithm) ? startHash(algorithm as HashAlgorithm) : null;
}

/** Tells signatures, which nothing here verifies; answers whether there is one. */
function checkSigned(nodes: ReadonlyMap<string, Node>, report: Report): boolean {
  // A node without a value only says how the image could be signed.
  const signatures = [...nodes].filter(
    ([path, node]) => /\/signature[^/]*$/.test(path) && node.has('value'),
  );
  const [first] = signatures;
  if (first === undefined) return false;
  const [member, node] = first;
  const algorithm = text(node.get('algo')) ?? 'unknown algorithm';
  report('fit.signature', `${signatures.length} signatures, ${algorithm}`, { member });
  return true;
}

/** A boot loader takes the images that a configuration names: each must be there. */
function checkConfigurations(
  nodes: ReadonlyMap<string, Node>,
  images: readonly Image[],
  report: Report,
): boolean {
  const names = new Set(images.map(({ name }) => name));
  let whole = true;
  for (const [path, node] of nodes) {
    const configuration = /^\/configurations\/([^/]+)$/.exec(path)?.[1];
    if (configuration === undefined) continue;
    for (const role of ['kernel', 'fdt', 'ramdisk', 'firmware', 'loadables', 'fpga']) {
      const wanted = node.get(role);
      if (wanted === undefined) continue;
      for (const image of texts(wanted)) {
        // "name#part" picks a part of the image.
        if (names.has(image) || names.has(image.split('#')[0] ?? '')) continue;
        whole = false;
        report('fit.missing-image', `configuration "${configuration}" names "${image}"`, {
          member: configuration,
          offset: wanted.offset,
          found: image,
        });
      }
    }
  }
  const preferred = nodes.get('/configurations')?.get('default');
  if (preferred !== undefined && !nodes.has(`/configurations/${text(preferred)}`)) {
    report('fit.default', `"${text(preferred)}"`, { offset: preferred.offset });
  }
  return whole;
}
