import { ProblemError } from '../../../../shared/domain/problem.ts';
import type { Stm32Bootloader } from './stm32-bootloader.ts';

const idBytes = 12;

/** Where families keep the unique device id ("Unique device ID register" of each reference manual), by product id. */
const places: readonly { readonly address: number; readonly productIds: readonly number[] }[] = [
  // STM32F1 (RM0008).
  { address: 0x1fff_f7e8, productIds: [0x410, 0x412, 0x414, 0x418, 0x420, 0x428, 0x430] },
  // STM32F0 (RM0091), STM32F3 (RM0316).
  { address: 0x1fff_f7ac, productIds: [0x440, 0x442, 0x444, 0x445, 0x448, 0x422, 0x438, 0x446] },
  // STM32F2 (RM0033), STM32F4 (RM0090, RM0368).
  {
    address: 0x1fff_7a10,
    productIds: [0x411, 0x413, 0x419, 0x421, 0x423, 0x431, 0x433, 0x434, 0x441, 0x458, 0x463],
  },
  // STM32L4 (RM0351), STM32G0 (RM0444), STM32G4 (RM0440).
  {
    address: 0x1fff_7590,
    productIds: [0x415, 0x435, 0x461, 0x462, 0x464, 0x456, 0x460, 0x466, 0x467, 0x468, 0x469],
  },
];

/**
 * The chip's unique id, as lower-case hex in the order of memory; `protected` when the chip refuses to be read at all,
 * null when it has no id that can be read.
 */
export async function readUniqueId(
  bootloader: Stm32Bootloader,
  productId: number,
): Promise<string | 'protected' | null> {
  const place = places.find(({ productIds }) => productIds.includes(productId));
  if (!place) return null;
  try {
    const bytes = await bootloader.read(place.address, idBytes);
    return bytes.every((byte) => byte === bytes[0]) ? null : Buffer.from(bytes).toString('hex');
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'bootloader-refused')
      throw error;
    // Under read-out protection the command itself is refused, before the address (AN3155 3.4).
    return error.problem.detail.startsWith('READ at') ? null : 'protected';
  }
}
