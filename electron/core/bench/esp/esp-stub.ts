/** A flasher that runs in the RAM of the chip: what goes where, and where it begins. */
export interface EspStub {
  readonly entry: number;
  readonly segments: readonly { readonly address: number; readonly bytes: Uint8Array }[];
}

/** As Espressif publishes it, code and data in base64. */
interface StubFile {
  readonly entry: number;
  readonly text: string;
  readonly text_start: number;
  readonly data?: string;
  readonly data_start?: number;
}

/** Espressif's esp-flasher-stub (Apache-2.0 or MIT), as esptool-js carries it. */
const files: Readonly<Record<string, () => Promise<{ readonly default: StubFile }>>> = {
  ESP32: () => import('esptool-js/lib/targets/stub_flasher/esp32.json'),
  'ESP32-S2': () => import('esptool-js/lib/targets/stub_flasher/esp32s2.json'),
  'ESP32-C3': () => import('esptool-js/lib/targets/stub_flasher/esp32c3.json'),
  'ESP32-S3': () => import('esptool-js/lib/targets/stub_flasher/esp32s3.json'),
  'ESP32-C2': () => import('esptool-js/lib/targets/stub_flasher/esp32c2.json'),
  'ESP32-C6': () => import('esptool-js/lib/targets/stub_flasher/esp32c6.json'),
  'ESP32-H2': () => import('esptool-js/lib/targets/stub_flasher/esp32h2.json'),
};

/** The stub for a chip, by the chip's name; null where there is none. */
export async function espStubFor(chip: string): Promise<EspStub | null> {
  const file = (await files[chip]?.())?.default;
  if (!file) return null;
  const { entry, text, text_start, data, data_start } = file;
  const segments = [{ address: text_start, bytes: new Uint8Array(Buffer.from(text, 'base64')) }];
  if (data !== undefined && data_start !== undefined)
    segments.push({ address: data_start, bytes: new Uint8Array(Buffer.from(data, 'base64')) });
  return { entry, segments };
}
