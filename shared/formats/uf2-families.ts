/** Names of the families by identifier (uf2families.json of the UF2 specification). */
const families: ReadonlyMap<number, string> = new Map([
  [0x16573617, 'ATmega32'],
  [0x1851780a, 'SAML21'],
  [0x1b57745f, 'nRF52'],
  [0x1c5f21b0, 'ESP32'],
  [0x1e1f432d, 'STM32L1'],
  [0x202e3a91, 'STM32L0'],
  [0x21460ff0, 'STM32WL'],
  [0x2abc77ec, 'LPC55'],
  [0x2b88d29c, 'ESP32-C2'],
  [0x300f5633, 'STM32G0'],
  [0x31d228c6, 'GD32F350'],
  [0x332726f6, 'ESP32-H2'],
  [0x3d308e94, 'ESP32-P4'],
  [0x04240bdf, 'STM32L5'],
  [0x4c71240a, 'STM32G4'],
  [0x4fb2d5bd, 'MIMXRT10'],
  [0x53b80f00, 'STM32F7'],
  [0x540ddf62, 'ESP32-C6'],
  [0x55114460, 'SAMD51'],
  [0x57755a57, 'STM32F4'],
  [0x5d1a0a2e, 'STM32F2'],
  [0x5ee21072, 'STM32F1'],
  [0x621e937a, 'nRF52833'],
  [0x647824b6, 'STM32F0'],
  [0x68ed2b88, 'SAMD21'],
  [0x6b846188, 'STM32F3'],
  [0x6d0922fa, 'STM32F407'],
  [0x6db66082, 'STM32H7'],
  [0x70d16653, 'STM32WB'],
  [0x7eab61ed, 'ESP8266'],
  [0x7f83e793, 'KL32L2'],
  [0x8fb060fe, 'STM32F407VG'],
  [0x9af03e33, 'GD32VF103'],
  [0xada52840, 'nRF52840'],
  [0xbfdd4eee, 'ESP32-S2'],
  [0xc47e5767, 'ESP32-S3'],
  [0xd42ba06c, 'ESP32-C3'],
  [0xe48bff56, 'RP2040'],
  [0xe48bff59, 'RP2350'],
  [0xe48bff5a, 'RP2350'],
  [0xe48bff5b, 'RP2350'],
  [0x00ff6919, 'STM32L4'],
]);

/** Name of a family, or undefined when the identifier is not a known one. */
export function uf2FamilyName(id: number): string | undefined {
  return families.get(id);
}

const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(/^at(?=sam)/, '');

/** Whether one name is the beginning of the other; "ESP32" is a chip of its own besides its successors. */
function matches(family: string, chip: string): boolean {
  if (family === 'esp32' && /^esp32[a-z]\d/.test(chip)) return false;
  return chip.startsWith(family) || family.startsWith(chip);
}

/** Whether a family is that of the chip; null when the name of the chip tells of no family. */
export function isFamilyOfChip(id: number, chip: string): boolean | null {
  const name = families.get(id);
  const wanted = plain(chip);
  const isKnown = [...families.values()].some((family) => matches(plain(family), wanted));
  return name === undefined || !isKnown ? null : matches(plain(name), wanted);
}
