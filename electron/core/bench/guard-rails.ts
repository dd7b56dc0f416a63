import { problem } from '../../../shared/domain/problem.ts';
import type { Component, VersionPackage } from '../../../shared/domain/product.ts';
import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';
import { hexAddress } from '../../../shared/formats/report.ts';
import type { ProtectedRegion } from './flasher.ts';

/**
 * System memory and option bytes of the STM32 families (reference manuals, "Flash memory organization"): what stands
 * there protects and configures the chip, so that a wrong byte can lock it for good.
 */
const stm32Options: readonly ProtectedRegion[] = [
  { name: 'the system memory and option bytes', start: 0x1fff_0000, sizeBytes: 0x1_0000 },
  { name: 'the option bytes', start: 0x1ff8_0000, sizeBytes: 0x1_0000 },
];

/** Findings that say that the image is for other hardware. */
const foreignHardware: ReadonlySet<string> = new Set([
  'identity.hardware-differs',
  'identity.other-product',
  'esp.chip-wrong',
]);

/** Memory of a component that flashing must leave alone: its boot loader. */
export function keepOutOf(component: Component | undefined): readonly ProtectedRegion[] {
  return (component?.memory ?? [])
    .filter(({ role }) => role === 'bootloader')
    .map(({ name, start, sizeBytes }) => ({ name: `${name} (boot loader)`, start, sizeBytes }));
}

/** @throws ProblemError `protected-memory` when the image has bytes for option bytes or protected memory */
export function checkImagePlace(
  image: FirmwareImage,
  protocol: string | undefined,
  keepOut: readonly ProtectedRegion[],
): void {
  const regions = [
    ...keepOut,
    ...(protocol === 'esp' || protocol === 'stk500' ? [] : stm32Options),
  ];
  for (const { address, bytes } of image.segments) {
    if (address === null) continue;
    const region = regions.find(
      ({ start, sizeBytes }) => address < start + sizeBytes && start < address + bytes.length,
    );
    if (!region) continue;
    throw problem(
      'protected-memory',
      'The image would overwrite protected memory',
      `Its bytes at ${hexAddress(address)} reach into ${region.name}, from ${hexAddress(region.start)}.`,
      'Leave them out of the image; nothing was erased.',
      'gate',
    );
  }
}

/** @throws ProblemError `wrong-hardware` when the package was found to be for other hardware */
export function checkPackageHardware({ name, report }: VersionPackage): void {
  const findings = report.files.flatMap((file) => file.findings);
  const foreign = findings.find(
    ({ rule, verdict, waived }) =>
      foreignHardware.has(rule) && verdict === 'block' && waived === undefined,
  );
  if (!foreign) return;
  throw problem(
    'wrong-hardware',
    'The image is for other hardware',
    `${name}: ${foreign.title}. ${foreign.detail}`,
    'Choose the image of this component; nothing was erased.',
    'gate',
  );
}
