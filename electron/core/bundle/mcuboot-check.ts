import { createHash } from 'node:crypto';
import type { ImageIdentity } from '../../../shared/domain/image-identity.ts';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { readRange } from '../../../shared/formats/image-facts.ts';
import {
  type HashRange,
  type McubootImage,
  readMcuboot,
  sameVersion,
} from '../../../shared/formats/mcuboot.ts';
import { sniffHeadBytes } from '../../../shared/formats/sniff.ts';
import type { FindingList } from './finding-list.ts';
import { type NamedPublicKey, verifySignatures } from './mcuboot-signature.ts';
import { checkLink, checkSegments, checkSize } from './memory-fit.ts';
import { type FileExpectations, type Inside, nothingKnown } from './reading.ts';
import type { DescribedVersion } from './version-check.ts';

function rangeHasher(source: ByteSource): HashRange {
  return async (algorithm, start, end) => {
    const hash = createHash(algorithm);
    for await (const bytes of readRange(source, start, end)) hash.update(bytes);
    return hash.digest('hex');
  };
}

/** Checks an MCUboot image: whole, signed by a key of the product, in its slot; tells what it says. */
export async function checkMcuboot(
  source: ByteSource,
  { version: declared, component, memory = [], publicKeys = [] }: FileExpectations,
  findings: FindingList,
): Promise<Inside> {
  let whole = true;
  const image = await readMcuboot(source, rangeHasher(source), (rule, ...rest) => {
    if (rule === 'mcuboot.hash' || rule === 'mcuboot.tlv' || rule === 'mcuboot.no-hash')
      whole = false;
    findings.add(rule, ...rest);
  });
  if (image === null) return nothingKnown;
  if (whole) findings.add('mcuboot.header', describe(image), { offset: 0 });
  const keyName = await checkSignature(source, image, publicKeys, findings);
  if (component === 'mcu') await checkPlace(source, image, memory, findings);
  const version = compare(image, declared);
  return {
    ...nothingKnown,
    compressed: image.compressed || image.encrypted,
    identity: identityOf(image, keyName),
    ...(version === null ? {} : { version }),
  };
}

function describe(image: McubootImage): string {
  const { keyHash, securityCounter, vendorId, classId } = image;
  const needs = image.dependencies.slice(0, 4).map(({ imageNumber, minVersion }) => {
    return `needs image ${imageNumber} >= ${minVersion}`;
  });
  return [
    `version ${image.version}`,
    `${image.imageSizeBytes} bytes`,
    ...(keyHash === null ? [] : [`key ${keyHash}`]),
    ...(securityCounter === null ? [] : [`security counter ${securityCounter}`]),
    ...needs,
    ...(vendorId === null ? [] : [`vendor ${vendorId}`]),
    ...(classId === null ? [] : [`class ${classId}`]),
  ].join(', ');
}

/** The version that imgtool writes when none is given says nothing. */
const unsetVersion = '0.0.0+0';

function identityOf(image: McubootImage, keyName: string | null): ImageIdentity {
  const { version, keyHash, securityCounter, dependencies, vendorId, classId } = image;
  return {
    ...(version === unsetVersion ? {} : { version }),
    hardware: [
      ...(vendorId === null ? [] : [{ field: 'vendor' as const, value: vendorId }]),
      ...(classId === null ? [] : [{ field: 'class' as const, value: classId }]),
    ],
    signed: image.signatures.length > 0,
    ...(keyHash === null ? {} : { keyHash }),
    ...(keyName === null ? {} : { keyName }),
    ...(securityCounter === null ? {} : { securityCounter }),
    dependencies: [...dependencies],
    slotBytes: image.end,
  };
}

/** Name of the key that the signature was verified with, or null. */
async function checkSignature(
  source: ByteSource,
  image: McubootImage,
  keys: readonly NamedPublicKey[],
  findings: FindingList,
): Promise<string | null> {
  const [first] = image.signatures;
  if (first === undefined) return null;
  const { algorithm } = first;
  const unchecked = (why: string): null => {
    findings.add('mcuboot.signature', `${algorithm}: ${why}`);
    return null;
  };
  if (keys.length === 0) return unchecked('the public key of the product is not known');
  const result = await verifySignatures(source, image, keys);
  if (result === null) return null;
  const { offset } = result;
  if (result.state === 'too-large') return unchecked('it is over more bytes than are read at once');
  if (result.state === 'no-digest') return unchecked('there is no hash that it could be over');
  if (!('keyName' in result)) {
    const expected = keys.map(({ name }) => name).join(', ');
    const found = image.keyHash ?? 'no key named';
    findings.add('mcuboot.unknown-key', `${algorithm}, ${found}`, { offset, expected, found });
    return null;
  }
  const { keyName, state } = result;
  const over = image.encrypted ? ' over the recorded hash of the content' : '';
  const rule = state === 'wrong' ? 'mcuboot.signature-wrong' : 'mcuboot.signature-verified';
  findings.add(rule, `${algorithm} with "${keyName}"${over}`, { offset, expected: keyName });
  return state === 'wrong' ? null : keyName;
}

async function checkPlace(
  source: ByteSource,
  image: McubootImage,
  memory: FileExpectations['memory'] & {},
  findings: FindingList,
): Promise<void> {
  const { headerSizeBytes, flashAddress, ramAddress, end } = image;
  if (flashAddress !== null) {
    checkSegments([{ start: flashAddress, sizeBytes: end }], memory, findings.add);
  } else if (!checkSize(end, memory, findings.add)) return;
  // The padding of an image may fill the slot, trailer included.
  const wholeSlots = memory.map((region) => ({ ...region, trailerBytes: 0 }));
  if (!checkSize(source.sizeBytes, wholeSlots, findings.add)) return;
  // What runs from RAM is linked for it, and what is encrypted or packed has no vector table yet.
  if (ramAddress !== null || image.encrypted || image.compressed) return;
  const head = await source.read(headerSizeBytes, sniffHeadBytes);
  checkLink(head, headerSizeBytes, memory, findings.add);
}

function compare({ version }: McubootImage, declared: string | undefined): DescribedVersion | null {
  const same = declared === undefined ? null : sameVersion(version, declared);
  if (same === null) return null;
  return {
    detail: `the header says ${version}`,
    evidence: { offset: 20, expected: declared ?? '', found: version },
    relation: same ? 'same' : 'other',
  };
}
