import { memorySource } from '../../../shared/formats/byte-source.ts';
import { readEspImage } from '../../../shared/formats/esp-image.ts';
import { startHash } from '../../files/start-hash.ts';
import { bundleRules } from '../../../shared/messages/bundle-rules.ts';

const partitionTable = 0x8000;
const tableBytes = 0xc00;
const entryBytes = 32;
const entryMagic = 0x50aa;
const appType = 0;
const firstApp = { address: 0x10000, sizeBytes: 0x100000 } as const;

/** Where the application is: the first one of the partition table, or its usual place when there is none. */
function appPartition(flash: Uint8Array): { readonly address: number; readonly sizeBytes: number } {
  const view = new DataView(flash.buffer, flash.byteOffset);
  for (let at = partitionTable; at < partitionTable + tableBytes; at += entryBytes) {
    if (view.getUint16(at, true) !== entryMagic) break;
    if (flash[at + 2] === appType)
      return { address: view.getUint32(at + 4, true), sizeBytes: view.getUint32(at + 8, true) };
  }
  return firstApp;
}

/** What the ROM, ESP-IDF's bootloader and the application print at a start, and whether the application is sound. */
export async function bootEsp32(
  flash: Uint8Array,
): Promise<{ readonly log: string; readonly isUp: boolean }> {
  const { address, sizeBytes } = appPartition(flash);
  const wrong: string[] = [];
  const facts = await readEspImage(
    memorySource(flash.slice(address, address + sizeBytes)),
    (rule, detail) => {
      if (bundleRules[rule].verdict === 'block') wrong.push(`${rule}: ${detail}`);
    },
    startHash,
  );
  const isUp = facts !== null && wrong.length === 0;
  const rom = [
    'ets Jul 29 2019 12:21:46',
    '',
    `rst:${isUp ? '0x1 (POWERON_RESET)' : '0x3 (SW_RESET)'},boot:0x13 (SPI_FAST_FLASH_BOOT)`,
  ];
  const lines = isUp
    ? [
        'I (31) boot: Loaded app from partition at offset 0x' + address.toString(16),
        `I (210) app_init: App version:      ${facts.version ?? 'unknown'}`,
        'I (240) main_task: Calling app_main()',
      ]
    : [
        `E (48) boot: Factory app partition is not bootable (${wrong[0] ?? 'no image'})`,
        'E (53) boot: No bootable app partitions in the partition table',
      ];
  return { log: [...rom, ...lines, ''].join('\r\n'), isUp };
}
