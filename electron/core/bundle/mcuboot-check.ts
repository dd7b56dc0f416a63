import { createHash } from 'node:crypto';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { type HashRange, readMcuboot, sameVersion } from '../../../shared/formats/mcuboot.ts';
import type { FindingList } from './finding-list.ts';
import type { DescribedVersion } from './version-check.ts';

const windowBytes = 1024 * 1024;

function rangeHasher(source: ByteSource, signal: AbortSignal): HashRange {
  return async (algorithm, start, end) => {
    const hash = createHash(algorithm);
    for (let at = start; at < end; ) {
      signal.throwIfAborted();
      const bytes = await source.read(at, Math.min(windowBytes, end - at));
      if (bytes.length === 0) break;
      hash.update(bytes);
      at += bytes.length;
    }
    return hash.digest('hex');
  };
}

/**
 * Checks an MCUboot image and tells what it says. Returns its version compared with the declared
 * one, or null when that cannot be said.
 */
export async function checkMcuboot(
  source: ByteSource,
  declared: string | undefined,
  findings: FindingList,
  signal: AbortSignal,
): Promise<DescribedVersion | null> {
  let whole = true;
  const image = await readMcuboot(source, rangeHasher(source, signal), (rule, ...rest) => {
    if (rule === 'mcuboot.hash' || rule === 'mcuboot.tlv' || rule === 'mcuboot.no-hash')
      whole = false;
    findings.add(rule, ...rest);
  });
  if (image === null) return null;
  const { version, imageSizeBytes, keyHash, securityCounter, dependencies } = image;
  if (whole) {
    const facts = [
      `version ${version}`,
      `${imageSizeBytes} bytes`,
      ...(keyHash === null ? [] : [`key ${keyHash}`]),
      ...(securityCounter === null ? [] : [`security counter ${securityCounter}`]),
      ...dependencies.slice(0, 4).map((needed) => `needs ${needed}`),
      ...(image.vendorId === null ? [] : [`vendor ${image.vendorId}`]),
      ...(image.classId === null ? [] : [`class ${image.classId}`]),
    ];
    findings.add('mcuboot.header', facts.join(', '), { offset: 0 });
  }
  const same = declared === undefined ? null : sameVersion(version, declared);
  if (same === null) return null;
  return {
    detail: `the header says ${version}`,
    evidence: { offset: 20, expected: declared ?? '', found: version },
    relation: same ? 'same' : 'other',
  };
}
