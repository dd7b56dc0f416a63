import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FindingList } from '../../../electron/core/bundle/finding-list.ts';
import { ContentInspection } from '../../../electron/core/bundle/inspect-content.ts';
import { PatternScan } from '../../../electron/core/bundle/pattern-scan.ts';
import {
  type DescribedFormat,
  describedFormatSchema,
} from '../../../shared/domain/described-format.ts';
import { ProblemError } from '../../../shared/domain/problem.ts';
import { compareImages } from '../../../shared/diff/compare-images.ts';
import { compareParts } from '../../../shared/diff/compare-parts.ts';
import { contentSource, readImageContent } from '../../../shared/diff/image-content.ts';
import { memorySource } from '../../../shared/formats/byte-source.ts';
import { Bzip2Reader } from '../../../shared/formats/bzip2-reader.ts';
import { readElfParts } from '../../../shared/formats/elf-parts.ts';
import { readRarHeaders } from '../../../shared/formats/rar.ts';
import { throwingReport } from '../../../shared/formats/report.ts';
import { sniff } from '../../../shared/formats/sniff.ts';
import { armElf } from '../arm-elf.ts';
import { imgtoolImage, imgtoolImages } from '../mcuboot-images.ts';
import { changedPac, makePac } from '../pac-package.ts';
import { mpyFiles, patches } from '../peer-files.ts';
import { rarSample, rarSamples } from '../rar-samples.ts';
import { type FuzzSubject, outcome } from './fuzz-subject.ts';
import { hpatchLiteSeeds, packBzip2, patchSubjects } from './patch-subjects.ts';
import {
  type Repair,
  repairEsp,
  repairRar,
  repairRecords,
  repairTar,
  repairUf2,
  repairUimage,
} from './repairs.ts';

const seedFolder = resolve('test/support/fuzz/seeds');

/** Seeds that tools made, kept as base64: every file of the folder named after the format. */
function storedSeeds(format: string): Uint8Array[] {
  const folder = join(seedFolder, format);
  if (!existsSync(folder)) throw new Error(`no seeds in ${folder}`);
  return readdirSync(folder)
    .sort()
    .map((name) => Buffer.from(readFileSync(join(folder, name), 'latin1'), 'base64'));
}

const pieceBytes = 700;

interface FormatOptions {
  /** Name of the subject; the format without it. */
  readonly name?: string;
  readonly file?: string;
  readonly seeds?: readonly Uint8Array[];
  readonly repair?: Repair;
  /** The description of the format, where slipway.yaml has one. */
  readonly described?: DescribedFormat;
}

/** A format of the bundle room, inspected with all that stands in it; the format is taken for granted. */
function format(id: string, options: FormatOptions = {}): FuzzSubject {
  const { name = id, file = `image.${id}`, repair, described = null } = options;
  const expectations = { fileTypes: [], version: '1.2.3' };
  return {
    name,
    seeds: options.seeds ?? storedSeeds(id),
    ...(repair === undefined ? {} : { repair }),
    read: async (bytes) => {
      const findings = new FindingList();
      const { signal } = new AbortController();
      const inspection = new ContentInspection(bytes.length, expectations, findings, signal);
      const inside = await inspection.inspectFile({
        name: file,
        format: id,
        described,
        path: undefined,
        around: [],
        chunks: inPieces(bytes),
        source: memorySource(bytes),
        findings,
        expectations,
      });
      inspection.finish(inside, findings);
      return findings.list().map(({ rule }) => rule);
    },
  };
}

/** Content in windows that are overwritten once they were read, as those of a file are. */
async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const window = Buffer.from(bytes.subarray(at, at + pieceBytes));
    yield window;
    window.fill(0xaa);
  }
}

/** A few bytes can be 46 MB; whoever unpacks knows how much to expect. */
const unpackWindow = new Uint8Array(1024 * 1024);

function unpackBzip2(bytes: Buffer): readonly string[] {
  const unpack = (): undefined => {
    const reader = new Bzip2Reader(bytes);
    if (reader.read(unpackWindow) < unpackWindow.length) reader.finish();
  };
  return [outcome(unpack, (error) => error instanceof Error && error.constructor === Error)];
}

function secretSeeds(): Uint8Array[] {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const text = [
    'https://user7:S3cr-t!9@host.net AccountKey= wifi_password="hunter2hunter2"',
    'root:$6$saltsalt$abcdefghijklmnopqrstuvwxyz01:19000:0::::: v1.2-dirty DEBUG BUILD',
    '/home/anna/fw/main.c JTAG aws_secret_access_key=',
  ].join('\n');
  return [
    ec.export({ type: 'sec1', format: 'der' }),
    ec.export({ type: 'pkcs8', format: 'der' }),
    rsa.export({ type: 'pkcs1', format: 'der' }),
    Buffer.from(rsa.export({ type: 'pkcs8', format: 'pem' })),
    Buffer.from(text),
    ...storedSeeds('certificate'),
  ];
}

function scanPatterns(bytes: Buffer): readonly string[] {
  const scan = new PatternScan({ certificates: true });
  scan.push(bytes);
  scan.endPiece();
  const rules: string[] = [];
  scan.tell((rule) => rules.push(rule));
  return [...rules, ...scan.certificates.map(() => 'certificate')];
}

/** The beginnings of patches that no tool here makes. */
const payload = Buffer.concat([
  Buffer.from('CrAU\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x20\0\0\0\x08', 'latin1'),
  Buffer.alloc(200, 'manifest'),
]);
const bsdiff43 = Buffer.concat([
  Buffer.from('ENDSLEY/BSDIFF43\xfe\x01\0\0\0\0\0\0', 'latin1'),
  packBzip2(Buffer.alloc(600, 'control')),
]);

const script = `import machine
VERSION = "1.2.3"

class Pump:
    """Runs."""

    def run(self, speed=[1, 2]):
        for pin in range(4):
            if pin % 2:
                machine.Pin(pin).value(f"{pin}" == '1')
            else:
                raise ValueError("no pin")
`;
const armSymbols = ['main', 'table', '$t'].map((name, index) => ({
  name,
  value: 0x101 + 4 * index,
  sizeBytes: 4,
  info: 0x12 - index,
  section: 1,
}));
const packDescription = `<?xml version="1.0" encoding="UTF-8"?>
<package schemaVersion="1.7.7" xmlns:xs="http://www.w3.org/2001/XMLSchema-instance">
  <vendor>Maker</vendor><name>Pump</name><url>https://maker.test/</url>
  <releases><release version="1.2.3" date="2026-01-02">new</release></releases>
  <components><component Cclass="Device"><files><file name="a.c"/></files></component></components>
</package>
`;
const described = describedFormatSchema.parse({
  name: 'acme-fw',
  extensions: ['.afw'],
  magic: { text: 'AFW1' },
  fields: [
    { name: 'total', offset: 4, bytes: 4, means: 'file-size' },
    { name: 'body', offset: 8, bytes: 4, endian: 'big', means: 'size-of-rest', from: 32 },
    { name: 'number', offset: 12, bytes: 4, means: 'number' },
  ],
  checksums: [{ name: 'all', kind: 'crc32', offset: -4, to: -4 }],
  version: { pattern: 'fw-([0-9.]+)', from: 16, length: 200 },
});
const afw = Buffer.alloc(300, 'AFW1\0\0\x01\x2c\0\0\x01\x0c\x01\x02\x03\x04fw-1.2.3 ', 'latin1');
const pac = makePac([
  { id: 'FDL', fileName: 'fdl1.bin', data: Buffer.alloc(70, 'boot') },
  { id: 'NV', fileName: 'nv.bin', data: Buffer.alloc(300, 'values') },
]);
/** The checksums stand in the header. */
const withRoom = (bytes: Buffer): Buffer =>
  bytes.length < 2124 ? Buffer.concat([bytes, Buffer.alloc(2124 - bytes.length)]) : bytes;
const rarSeeds = [
  ...storedSeeds('rar'),
  ...Object.keys(rarSamples).map((name) => rarSample(name as never)),
].filter(({ length }) => length < 8192);
const { bsdiff40, ...others } = patches;
const patchesOf = (start: string): Uint8Array[] =>
  Object.entries(others).flatMap(([name, bytes]) => (name.startsWith(start) ? [bytes] : []));

const imgtool = Object.keys(imgtoolImages).map((name) => imgtoolImage(name as never));

/** Every reader of untrusted bytes. A further format is one line, and seeds in a folder of its name. */
export const fuzzSubjects: readonly FuzzSubject[] = [
  format('s-record', { repair: repairRecords }),
  format('intel-hex', { repair: repairRecords }),
  format('cortex-m', {
    seeds: [readFileSync('resources/sample/firmware/sensor-1.0.0.bin').subarray(0, 4096)],
  }),
  format('elf'),
  format('uf2', { repair: repairUf2 }),
  format('esp-image', { repair: repairEsp }),
  format('mcuboot', { seeds: imgtool }),
  format('uimage', { repair: repairUimage }),
  format('fit'),
  format('zip'),
  { name: 'rar', seeds: rarSeeds, repair: repairRar, read: readRar },
  // The members' data is read by an engine in a thread of its own.
  {
    ...format('rar', { name: 'rar with its engine', seeds: rarSeeds, repair: repairRar }),
    share: 0.02,
    budgetMs: 2000,
    // What its WebAssembly memory is limited to.
    budgetBytes: 128 * 1024 * 1024,
  },
  format('tar', { repair: repairTar }),
  format('gzip', { file: 'image.tar.gz' }),
  format('xz', { file: 'image.tar.xz' }),
  format('zstd', { file: 'image.tar.zst' }),
  format('pac', { seeds: [pac], repair: (bytes) => changedPac(withRoom(bytes), () => undefined) }),
  format('mpy', { seeds: Object.values(mpyFiles) }),
  {
    ...format('python', { file: 'main.py', seeds: [Buffer.from(script)] }),
    // The grammar looks for a way on behind each error, up to 4 ms a kilobyte and 2 s in all.
    budgetMs: 400,
  },
  format('text', {
    name: 'cmsis-pack',
    file: 'Maker.Pump.pdsc',
    seeds: [Buffer.from(packDescription)],
  }),
  format('bsdiff40', { name: 'bsdiff40 header', seeds: [bsdiff40] }),
  format('bsdiff43', { seeds: [bsdiff43] }),
  format('vcdiff', { seeds: patchesOf('xdelta') }),
  format('hdiff', { seeds: patchesOf('hdiff') }),
  format('detools', { seeds: patchesOf('detools') }),
  format('hpatchlite', {
    name: 'hpatchlite header',
    seeds: hpatchLiteSeeds,
  }),
  format('android-payload', { seeds: [payload] }),
  format('acme-fw', { name: 'described format', described, seeds: [afw] }),
  { name: 'sniff', seeds: allSeeds(), read: (bytes) => [sniff(bytes, bytes.subarray(-512))] },
  { name: 'secrets and certificates', seeds: secretSeeds(), read: scanPatterns },
  {
    name: 'compared image',
    seeds: [armElf(armSymbols), ...['elf', 's-record', 'intel-hex'].flatMap(storedSeeds)],
    read: compareWithSource,
  },
  { name: 'bzip2', seeds: storedSeeds('bzip2'), read: unpackBzip2 },
  ...patchSubjects,
];

const otherImage = Buffer.from(
  'sensor firmware 1.0.0, the other image of every comparison '.repeat(20),
);

/** Everything that a comparison reads of a file, against an image that it has nothing in common with. */
async function compareWithSource(bytes: Buffer): Promise<readonly string[]> {
  const told: string[] = [];
  const add = async (read: () => Promise<unknown>): Promise<void> => {
    try {
      await read();
      told.push('whole');
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      told.push(error.problem.code);
    }
  };
  const file = memorySource(bytes);
  const report = throwingReport('image');
  await add(async () => {
    const parts = await readElfParts(file, report);
    if (parts) compareParts(parts.sections, parts.symbols);
  });
  await add(async () => {
    const content = await readImageContent('image', file, () => 0);
    const image = { extents: content.extents, source: contentSource(content, file) };
    const other = {
      extents: [{ start: 0x0800_0000, sizeBytes: otherImage.length, at: 0 }],
      source: memorySource(otherImage),
    };
    await compareImages(image, other, { sectorBytes: 4096, regions: [] });
  });
  return told;
}

async function readRar(bytes: Buffer): Promise<readonly string[]> {
  const told: string[] = [];
  await readRarHeaders(memorySource(bytes), (rule) => told.push(rule));
  return told;
}

function allSeeds(): Uint8Array[] {
  return readdirSync(seedFolder).flatMap((name) => storedSeeds(name));
}
