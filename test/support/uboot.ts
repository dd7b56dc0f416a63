import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peer } from './peers.ts';

const firmware = '/usr/lib/u-boot/qemu_arm/u-boot.bin';
const sectorBytes = 512;
const partition = { firstSector: 2048, sectors: 30_720 } as const;
const fat16 = 0x0e;

/** A machine that runs real U-Boot, with a FAT partition and a second bank of CFI flash. */
export class UBoot {
  /** Its serial port. */
  readonly port: string;
  readonly #child: ChildProcess;

  private constructor(port: string, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static async start(folder: string): Promise<UBoot> {
    if (!existsSync(firmware))
      throw new Error(`${firmware} is missing: apt-get install u-boot-qemu`);
    const disk = join(folder, 'disk.img');
    const bank = join(folder, 'bank.img');
    await makeDisk(disk);
    await writeFile(bank, '');
    await truncate(bank, 64 * 2 ** 20);
    const args = `-M virt -m 128 -bios ${firmware} -drive if=none,id=disk,format=raw,file=disk.img
      -device virtio-blk-device,drive=disk -drive if=pflash,index=1,format=raw,file=bank.img
      -display none -monitor none -net none -serial pty`.split(/\s+/);
    const child = spawn('qemu-system-arm', args, { cwd: folder });
    const port = await new Promise<string>((done, fail) => {
      let said = '';
      const hear = (text: Buffer): void => {
        said += text.toString();
        const path = /redirected to (\S+)/.exec(said)?.[1];
        if (path !== undefined) done(path);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('error', () =>
        fail(new Error('qemu-system-arm is missing: apt-get install qemu-system-arm')),
      );
      child.once('close', () => fail(new Error(said)));
    });
    return new UBoot(port, child);
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#child.once('close', done));
    this.#child.kill();
    await ended;
  }
}

/** A disk with one FAT partition, marked as the one to boot from. */
async function makeDisk(path: string): Promise<void> {
  await writeFile(path, '');
  await truncate(path, (partition.firstSector + partition.sectors) * sectorBytes);
  const record = Buffer.alloc(sectorBytes);
  record[446] = 0x80;
  record[450] = fat16;
  record.writeUInt32LE(partition.firstSector, 454);
  record.writeUInt32LE(partition.sectors, 458);
  record.writeUInt16BE(0x55aa, 510);
  const file = await open(path, 'r+');
  await file.write(record, 0, sectorBytes, 0);
  await file.close();
  const place = ['--offset', String(partition.firstSector)];
  const { code, stderr } = await peer(
    'mkfs.vfat',
    ['-F', '16', ...place, path, String((partition.sectors * sectorBytes) / 1024)],
    'dosfstools',
  );
  if (code !== 0) throw new Error(stderr);
}

/** A script that U-Boot runs from its disk, filled up with noise that it never reaches. */
export async function bootScript(
  folder: string,
  { version, filler }: { readonly version: string; readonly filler: string },
): Promise<string> {
  const source = join(folder, 'boot.cmd');
  const script = join(folder, 'boot.scr');
  await writeFile(source, `echo version ${version}\nexit\n# ${filler}\n`);
  const { code, stderr } = await peer(
    'mkimage',
    ['-A', 'arm', '-T', 'script', '-C', 'none', '-d', source, script],
    'u-boot-tools',
  );
  if (code !== 0) throw new Error(stderr);
  return script;
}
