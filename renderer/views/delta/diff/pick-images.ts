import { pickFiles } from '../../../rpc/client.ts';
import { type OpenDiff, useDiff } from '../../../stores/diff.ts';

async function pickOne(title: string) {
  return (await pickFiles({ multiple: false, title }))[0];
}

/** Lets the user choose two files and compares them; nothing happens when a dialog is closed. @throws ProblemError */
export async function compareFiles(): Promise<void> {
  const older = await pickOne('Old image');
  const newer = older && (await pickOne('New image'));
  if (!older || !newer) return;
  await useDiff.getState().compare({
    order: { old: { file: older.handle }, new: { file: newer.handle } },
    names: { old: older.name, new: newer.name },
    deltaPackageId: null,
  });
}

/** Lets the user choose the ELF files of both images and compares again. @throws ProblemError */
export async function addElfFiles({ order, names, deltaPackageId }: OpenDiff): Promise<void> {
  const older = await pickOne(`ELF file of ${names.old}`);
  const newer = older && (await pickOne(`ELF file of ${names.new}`));
  if (!older || !newer) return;
  await useDiff.getState().compare({
    order: {
      ...order,
      old: { ...order.old, elf: older.handle },
      new: { ...order.new, elf: newer.handle },
    },
    names,
    deltaPackageId,
  });
}
