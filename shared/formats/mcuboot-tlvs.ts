import type { ByteSource } from './byte-source.ts';
import { viewOf } from './image-facts.ts';
import { hexByte, type Report } from './report.ts';

/** A type-length-value entry behind an MCUboot image; `offset` is that of its value in the file. */
export interface Tlv {
  readonly type: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Whether hash and signature cover it: the boot loader believes a counter or a dependency only there. */
  readonly isProtected: boolean;
}

const tlvInfoBytes = 4;
const protectedMagic = 0x6908;
const plainMagic = 0x6907;

/**
 * Reads the protected TLVs, if there are any, and the plain ones; null after a report. Source:
 * MCUboot documentation, "Bootloader design", section "Image format".
 */
export async function readTlvs(
  source: ByteSource,
  start: number,
  protectedBytes: number,
  report: Report,
): Promise<{ readonly list: readonly Tlv[]; readonly end: number } | null> {
  const list: Tlv[] = [];
  let at = start;
  for (const magic of protectedBytes > 0 ? [protectedMagic, plainMagic] : [plainMagic]) {
    if (at + tlvInfoBytes > source.sizeBytes) {
      report('mcuboot.truncated', `the TLVs should begin at offset ${at}`, {
        offset: source.sizeBytes,
        expected: `at least ${at + tlvInfoBytes} bytes`,
        found: `${source.sizeBytes} bytes`,
      });
      return null;
    }
    const info = viewOf(await source.read(at, tlvInfoBytes));
    const found = info.getUint16(0, true);
    const size = info.getUint16(2, true);
    if (found !== magic) {
      report('mcuboot.tlv', 'no TLVs stand where the sizes in the header say', {
        offset: at,
        expected: hexWord(magic),
        found: hexWord(found),
      });
      return null;
    }
    if (size < tlvInfoBytes || (magic === protectedMagic && size !== protectedBytes)) {
      report('mcuboot.tlv', 'size of the TLVs', {
        offset: at + 2,
        expected: magic === protectedMagic ? String(protectedBytes) : `at least ${tlvInfoBytes}`,
        found: String(size),
      });
      return null;
    }
    if (at + size > source.sizeBytes) {
      report('mcuboot.truncated', `the TLVs should end at offset ${at + size}`, {
        offset: source.sizeBytes,
        expected: `at least ${at + size} bytes`,
        found: `${source.sizeBytes} bytes`,
      });
      return null;
    }
    const isProtected = magic === protectedMagic;
    if (!addTlvs(await source.read(at, size), at, isProtected, list, report)) return null;
    at += size;
  }
  return { list, end: at };
}

function addTlvs(
  area: Uint8Array,
  base: number,
  isProtected: boolean,
  list: Tlv[],
  report: Report,
): boolean {
  const view = viewOf(area);
  let at = tlvInfoBytes;
  while (at < area.length) {
    const size = at + 4 <= area.length ? view.getUint16(at + 2, true) : area.length;
    if (at + 4 + size > area.length) {
      report('mcuboot.tlv', 'a TLV reaches beyond the end of the TLVs', {
        offset: base + at,
        expected: `at most ${Math.max(0, area.length - at - 4)} bytes`,
        found: `${size} bytes`,
      });
      return false;
    }
    const type = view.getUint16(at, true);
    const bytes = area.subarray(at + 4, at + 4 + size);
    list.push({ type, offset: base + at + 4, bytes, isProtected });
    at += 4 + size;
  }
  return true;
}

function hexWord(value: number): string {
  return hexByte(value >>> 8) + hexByte(value & 0xff);
}
