import { readVectorTable } from './cortex-m.ts';
import { elfMachine } from './elf-machines.ts';
import { chips } from './esp-image.ts';
import { fieldText, viewOf } from './image-facts.ts';
import { versionAt } from './mcuboot.ts';
import { hexAddress } from './report.ts';
import { decodeName } from './text.ts';

/** Longest text taken from a file; a name in a header can fill all of the beginning. */
const longestText = 80;

const clip = (text: string): string =>
  text.length > longestText ? `${text.slice(0, longestText)}…` : text;

/** Bytes of the beginning that each reader needs. */
const readers: Readonly<
  Record<string, readonly [leastBytes: number, read: (head: Uint8Array) => string | null]>
> = {
  elf: [20, elfText],
  mcuboot: [32, mcubootText],
  'esp-image': [112, espText],
  uimage: [64, (head) => `name "${fieldText(head.subarray(32, 64))}"`],
  fit: [8, (head) => `${viewOf(head).getUint32(4)} bytes of device tree`],
  uf2: [32, uf2Text],
  zip: [30, zipText],
  tar: [512, (head) => `first member "${clip(untilNul(head.subarray(0, 100)))}"`],
  gzip: [10, gzipText],
  bsdiff40: [32, bsdiffText],
  's-record': [16, sRecordText],
  'cortex-m': [64, vectorText],
};

/**
 * What the beginning of a file says of it, in a few words: read at once, nothing of it proven.
 * Null when the format tells nothing there, or the beginning is cut.
 */
export function headText(format: string, head: Uint8Array): string | null {
  const reader = Object.hasOwn(readers, format) ? readers[format] : undefined;
  if (reader === undefined) return null;
  const [leastBytes, read] = reader;
  return head.length < leastBytes ? null : read(head);
}

function elfText(head: Uint8Array): string {
  const little = head[5] === 1;
  const machine = viewOf(head).getUint16(18, little);
  const bits = head[4] === 2 ? 64 : 32;
  return `${bits} bit, ${elfMachine(machine).name}`;
}

function mcubootText(head: Uint8Array): string {
  const view = viewOf(head);
  return `version ${versionAt(view, 20)}, ${view.getUint32(12, true)} bytes of image`;
}

/** The application descriptor opens the first segment, behind both headers (ESP-IDF, esp_app_desc.h). */
function espText(head: Uint8Array): string {
  const view = viewOf(head);
  const chipId = view.getUint16(12, true);
  const chip = chips.get(chipId) ?? `chip id ${chipId}`;
  if (view.getUint32(32, true) !== 0xabcd_5432) return `${chip}, ${head[1]} segments`;
  const [version, project] = [head.subarray(48, 80), head.subarray(80, 112)].map(fieldText);
  return `${chip}, project "${project}", version "${version}"`;
}

function uf2Text(head: Uint8Array): string {
  const view = viewOf(head);
  const hasFamily = (view.getUint32(8, true) & 0x2000) !== 0;
  const family = hasFamily ? `family ${hexAddress(view.getUint32(28, true))}` : 'no family';
  return `${view.getUint32(24, true)} blocks, ${family}, from ${hexAddress(view.getUint32(12, true))}`;
}

function zipText(head: Uint8Array): string | null {
  const view = viewOf(head);
  if (view.getUint32(0, true) !== 0x0403_4b50) return null;
  const name = head.subarray(30, 30 + view.getUint16(26, true));
  return name.length === 0 ? null : `first member "${clip(decodeName(name))}"`;
}

/** RFC 1952, section 2.3: the name follows the ten fixed bytes and the extra field. */
function gzipText(head: Uint8Array): string | null {
  const flags = head[3] ?? 0;
  const hasExtra = (flags & 4) !== 0;
  if ((flags & 8) === 0 || (hasExtra && head.length < 12)) return null;
  const nameAt = hasExtra ? 12 + viewOf(head).getUint16(10, true) : 10;
  const name = untilNul(head.subarray(nameAt));
  return name === '' ? null : `holds "${clip(name)}"`;
}

function bsdiffText(head: Uint8Array): string | null {
  const sizeBytes = Number(viewOf(head).getBigUint64(24, true));
  return Number.isSafeInteger(sizeBytes) ? `rebuilds ${sizeBytes} bytes` : null;
}

/** The text of the S0 record, whose bytes stand in hexadecimal behind type, count and address. */
function sRecordText(head: Uint8Array): string | null {
  const line = /^S0([0-9A-F]{2})[0-9A-F]{4}([0-9A-F]*)/i.exec(decodeName(head.subarray(0, 600)));
  if (line === null) return null;
  const textBytes = Number.parseInt(line[1] ?? '', 16) - 3;
  const pairs = (line[2] ?? '').slice(0, Math.max(0, textBytes) * 2).match(/../g) ?? [];
  const text = fieldText(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)));
  return text === '' ? null : `header "${clip(text)}"`;
}

function vectorText(head: Uint8Array): string | null {
  const vectors = readVectorTable(head);
  if (vectors === null) return null;
  const { stackPointer, resetHandler } = vectors;
  return `stack pointer ${hexAddress(stackPointer)}, reset handler ${hexAddress(resetHandler)}`;
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeName(end < 0 ? bytes : bytes.subarray(0, end));
}
