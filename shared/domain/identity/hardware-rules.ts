import type { HardwareField } from '../image-identity.ts';
import type { Component } from '../product.ts';
import type { ExaminedFile, IdentityContext } from './examined-file.ts';

const uuid = /^[0-9a-f]{32}$/;
/** Formats whose images have a field for the hardware that they are for. */
const namesHardware: ReadonlySet<string> = new Set(['mcuboot', 'fit', 'pac']);

/** A UUID in its plain form, any other text as it is. */
function plainId(text: string): string {
  const plain = text.toLowerCase().replace(/[-{}]/g, '');
  return uuid.test(plain) ? plain : text;
}

/** Tells whether the files are for the hardware of the component and contain its texts. */
export function checkHardware(files: readonly ExaminedFile[], context: IdentityContext): void {
  for (const file of files) checkHardwareIds(file, context.component);
  checkTexts(files, context);
}

function checkHardwareIds(file: ExaminedFile, { hardwareIds = [] }: Component): void {
  const described = hardwareIds.map(plainId);
  const uuids = described.filter((id) => uuid.test(id));
  const isMcuboot = file.format === 'mcuboot';
  // Names say nothing about an image that knows UUIDs only, and the other way round.
  const comparable = isMcuboot ? uuids : described.filter((id) => !uuid.test(id));
  if (comparable.length === 0 || !namesHardware.has(file.format)) return;
  const fields = (file.identity?.hardware ?? []).map(({ field, value }) => ({
    field,
    value: plainId(value),
  }));
  const expected = comparable.join(', ');
  if (fields.length === 0) {
    file.report('identity.hardware-absent', `"${file.name}" has no such field`, { expected });
    return;
  }
  const found = fields.map(({ field, value }) => `${field} ${value}`).join(', ');
  const matches = isMcuboot
    ? matchesMcuboot(fields, uuids)
    : fields.some(({ value }) => comparable.includes(value));
  file.report(matches ? 'identity.hardware-match' : 'identity.hardware-differs', found, {
    expected,
    found,
  });
}

/** The class decides; the vendor alone, which all its products share, only where no class is described. */
function matchesMcuboot(fields: readonly HardwareField[], uuids: readonly string[]): boolean {
  const classId = fields.find(({ field }) => field === 'class')?.value;
  if (classId !== undefined && uuids.includes(classId)) return true;
  const vendorId = fields.find(({ field }) => field === 'vendor')?.value;
  return uuids.every((id) => id === vendorId);
}

function checkTexts(files: readonly ExaminedFile[], context: IdentityContext): void {
  const own = context.component.productTexts ?? [];
  const [first] = files;
  if (own.length === 0 || first === undefined) return;
  const placeOf = (text: string) =>
    files.flatMap((file) => {
      const place = file.texts.get(text);
      return place ? [{ file, place }] : [];
    })[0];
  const missing = own.filter((text) => placeOf(text) === undefined);
  if (missing.length === 0) {
    for (const text of own) {
      const found = placeOf(text);
      found?.file.report('identity.product-text', `"${text}" is in the content`, {
        ...found.place,
        expected: text,
      });
    }
    return;
  }
  const foreign = context.foreignTexts.find(({ text }) => placeOf(text) !== undefined);
  const found = foreign && placeOf(foreign.text);
  const expected = missing.join(', ');
  if (foreign !== undefined && found !== undefined) {
    found.file.report('identity.other-product', `"${foreign.text}" stands for ${foreign.owner}`, {
      ...found.place,
      expected,
      found: foreign.text,
    });
  } else if (files.some((file) => missing.some((text) => !file.texts.has(text)))) {
    first.report('identity.product-text-unknown', 'not all of the content can be searched', {
      expected,
    });
  } else {
    const detail = `no file contains ${missing.map((text) => `"${text}"`).join(' and ')}`;
    first.report('identity.product-text-missing', detail, { expected });
  }
}
