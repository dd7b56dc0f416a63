import type { RegistryPackage } from '../support/registry-packages.ts';

/** A package and the file in it that is compared; null for all of them as a tar. Of npm it is an archive. */
export type ImageOrigin = RegistryPackage & { readonly file: string | null };

/** Where both versions of an image are from. */
export interface PairOrigin {
  readonly name: string;
  readonly origin: string;
  readonly images: readonly [ImageOrigin, ImageOrigin];
  /** SHA-256 of both, so that other bytes under the same version are noticed. */
  readonly sha256: readonly [string, string];
}

/** Images of public packages, small ones first. */
export const pairOrigins: readonly PairOrigin[] = [
  {
    name: 'ath9k-htc',
    origin: 'Debian firmware-ath9k-htc 1.4.0-106 to 108, Wi-Fi stick (Xtensa)',
    images: [
      {
        registry: 'debian',
        name: 'firmware-ath9k-htc',
        version: '1.4.0-106-gc583009+dfsg1-1',
        suite: 'bullseye',
        file: 'lib/firmware/ath9k_htc/htc_9271-1.dev.0.fw',
      },
      {
        registry: 'debian',
        name: 'firmware-ath9k-htc',
        version: '1.4.0-108-gd856466+dfsg1-1.3+deb12u1',
        file: 'lib/firmware/ath9k_htc/htc_9271-1.4.0.fw',
      },
    ],
    sha256: [
      'a0e37ecdf44db06d8f3a363244d9fe59a7cead0adf0123e73ae3fce29e82a0cc',
      '6ce17132c3dda25fa509ac57259d97241137f2a79335b3b23137034442f0aa4e',
    ],
  },
  {
    name: 'movehub',
    origin: 'npm @pybricks/firmware 7.22.0 to 7.28.0, STM32F0',
    images: [
      { registry: 'npm', name: '@pybricks/firmware', version: '7.22.0', file: 'movehub.zip' },
      { registry: 'npm', name: '@pybricks/firmware', version: '7.28.0', file: 'movehub.zip' },
    ],
    sha256: [
      'cffd9c96d19045613f6ea7593e1aaef78909833193a29a28aa065ad2cb37cac9',
      'a7a4c4f78c369a66a20e150e44bfd7c96d7ba7ed60f2ecce4d27001a9bddd7fb',
    ],
  },
  {
    name: 'seabios',
    origin: 'Debian seabios 1.16.2 to 1.16.3, BIOS of 256 KiB',
    images: [
      {
        registry: 'debian',
        name: 'seabios',
        version: '1.16.2-1',
        file: 'usr/share/seabios/bios-256k.bin',
      },
      {
        registry: 'debian',
        name: 'seabios',
        version: '1.16.3-2~bpo12+1',
        suite: 'bookworm-backports',
        file: 'usr/share/seabios/bios-256k.bin',
      },
    ],
    sha256: [
      '2da2018c7555e50b660a84a273a14a79cb87b9070fe6a90e9f151a53e357f7e6',
      '328ee0205b22b3edc7ed4f7c8697626d64a5e9c289a8e349f49f0b9a8c3204a0',
    ],
  },
  {
    name: 'opensbi',
    origin: 'Debian opensbi 1.1 to 1.5.1, RISC-V',
    images: [
      {
        registry: 'debian',
        name: 'opensbi',
        version: '1.1-2',
        file: 'usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin',
      },
      {
        registry: 'debian',
        name: 'opensbi',
        version: '1.5.1-1~bpo12+2',
        suite: 'bookworm-backports',
        file: 'usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin',
      },
    ],
    sha256: [
      '88e76ec1a9e2e5f3ecfc2d8892b923fddc9a3974e63f4190dbcab56b4909fb2f',
      '8d15e42e2abf2903fb9e0a3c423387b6e30c215e24ef6866a939fa9558c107e5',
    ],
  },
  {
    name: 'primehub',
    origin: 'npm @pybricks/firmware 7.22.0 to 7.28.0, STM32F4',
    images: [
      { registry: 'npm', name: '@pybricks/firmware', version: '7.22.0', file: 'primehub.zip' },
      { registry: 'npm', name: '@pybricks/firmware', version: '7.28.0', file: 'primehub.zip' },
    ],
    sha256: [
      '1d2ccf6b71e121c7768e704343420de18b1c6ff6cba4cf896660ab1753d664af',
      'e5fd8bbd1030d7db5569b40f0758184ac04175c156ef2c4f72130bfd9e4c6316',
    ],
  },
  {
    name: 'uboot-rpi4',
    origin: 'Debian u-boot-rpi 2023.01 to 2025.01 of trixie (sid rotates), ARM64',
    images: [
      {
        registry: 'debian-arm64',
        name: 'u-boot-rpi',
        version: '2023.01+dfsg-2+deb12u3',
        file: 'usr/lib/u-boot/rpi_4/u-boot.bin',
      },
      {
        registry: 'debian-arm64',
        name: 'u-boot-rpi',
        version: '2025.01-3+deb13u1',
        suite: 'trixie',
        file: 'usr/lib/u-boot/rpi_4/u-boot.bin',
      },
    ],
    sha256: [
      '536b031b83e59fde30a78cded58eb23cdb0bf5aebe11f7496f5306eabd1d7919',
      '564de468d290b756c2b7fa2b13137bed500b46f43dcb8b45d66f3202da182ce1',
    ],
  },
  {
    name: 'uboot-qemu',
    origin: 'Debian u-boot-qemu 2021.01 to 2023.01, ARM64',
    images: [
      {
        registry: 'debian',
        name: 'u-boot-qemu',
        version: '2021.01+dfsg-5',
        suite: 'bullseye',
        file: 'usr/lib/u-boot/qemu_arm64/u-boot.bin',
      },
      {
        registry: 'debian',
        name: 'u-boot-qemu',
        version: '2023.01+dfsg-2+deb12u3',
        file: 'usr/lib/u-boot/qemu_arm64/u-boot.bin',
      },
    ],
    sha256: [
      '955585675737e78ff7811dad1c3c7d0a3d90267e89f7b290b868bc52b5fb3166',
      'f50cb989e32b41a7389edd5a77a565c2c3870abec44a2e55678107abd34f1184',
    ],
  },
  {
    name: 'ovmf',
    origin: 'Debian ovmf 2022.11-6+deb12u1 to u2, UEFI with a packed volume',
    images: [
      {
        registry: 'debian',
        name: 'ovmf',
        version: '2022.11-6+deb12u1',
        file: 'usr/share/OVMF/OVMF_CODE_4M.fd',
      },
      {
        registry: 'debian',
        name: 'ovmf',
        version: '2022.11-6+deb12u2',
        file: 'usr/share/OVMF/OVMF_CODE_4M.fd',
      },
    ],
    sha256: [
      '97bc52c47e3b69b0096df54315525543905d757c4e9fa15813bf81e652eb2de4',
      'b157d97b1f69729514feb7f201d2cbe4957f23ab77920e361fe9f822ba49ca4c',
    ],
  },
  {
    name: 'grub',
    origin: 'Debian grub-efi-amd64-bin 2.06-13+deb12u1 to u2, boot loader',
    images: [
      {
        registry: 'debian',
        name: 'grub-efi-amd64-bin',
        version: '2.06-13+deb12u1',
        file: 'usr/lib/grub/x86_64-efi/monolithic/grubx64.efi',
      },
      {
        registry: 'debian',
        name: 'grub-efi-amd64-bin',
        version: '2.06-13+deb12u2',
        file: 'usr/lib/grub/x86_64-efi/monolithic/grubx64.efi',
      },
    ],
    sha256: [
      '1e239dbdc8bdcdf9e992e0f91cad2b61bf538a68e21ae1aab1cf96c664e73e74',
      '777c2879db15c6c4a2ccd618575d37312a09ce65092adac5cf5d580c6bb03479',
    ],
  },
  {
    name: 'grub-tar',
    origin: 'the same packages, all files as a tar',
    images: [
      { registry: 'debian', name: 'grub-efi-amd64-bin', version: '2.06-13+deb12u1', file: null },
      { registry: 'debian', name: 'grub-efi-amd64-bin', version: '2.06-13+deb12u2', file: null },
    ],
    sha256: [
      'd06b002ae0ef9c676a2fddae8b716e8f75c93386cfabc91c859cb6d6cdeb4691',
      '94872c0b17077bde43e6d33d8054577d02dfb91bfdcc61de39662cae8d52a97e',
    ],
  },
  {
    name: 'kernel',
    origin:
      'Debian linux-image cloud-arm64 6.1.176-1 to 6.1.192-2 (6.1.170-3 is not served any more), raw Image',
    images: [
      {
        registry: 'debian-arm64',
        name: 'linux-image-6.1.0-50-cloud-arm64',
        version: '6.1.176-1',
        file: 'boot/vmlinuz-6.1.0-50-cloud-arm64',
      },
      {
        registry: 'debian-arm64',
        name: 'linux-image-6.1.0-56-cloud-arm64',
        version: '6.1.192-2',
        file: 'boot/vmlinuz-6.1.0-56-cloud-arm64',
      },
    ],
    sha256: [
      '0c108326902b8cb9161796c4759fcfe6f182fa50d5cb569a70267979da7fef2c',
      'd418ce578d1c70b65bd5f3688c4ffbe97307cb48cf49270155af974931626047',
    ],
  },
  {
    name: 'aavmf',
    origin: 'Debian qemu-efi-aarch64 2022.11-6+deb12u1 to u2, UEFI padded to 64 MiB',
    images: [
      {
        registry: 'debian',
        name: 'qemu-efi-aarch64',
        version: '2022.11-6+deb12u1',
        file: 'usr/share/AAVMF/AAVMF_CODE.fd',
      },
      {
        registry: 'debian',
        name: 'qemu-efi-aarch64',
        version: '2022.11-6+deb12u2',
        file: 'usr/share/AAVMF/AAVMF_CODE.fd',
      },
    ],
    sha256: [
      '4e379da5a94950b96b3c06c3556d393348f112fc5bb52e6e56551ae1f9161001',
      '5f8ef96257f27e2815270bc54cbf6923bb344cbb5cd72be5b392c2ee4939181a',
    ],
  },
  {
    name: 'linux-tar',
    origin: 'the packages of the kernel, all files as a tar',
    images: [
      {
        registry: 'debian-arm64',
        name: 'linux-image-6.1.0-50-cloud-arm64',
        version: '6.1.176-1',
        file: null,
      },
      {
        registry: 'debian-arm64',
        name: 'linux-image-6.1.0-56-cloud-arm64',
        version: '6.1.192-2',
        file: null,
      },
    ],
    sha256: [
      '7d047a54dde8c1d55c1a89d34c51131cfe96ad3dfdead57d0bb302e9507dde51',
      'cffc2714b5eb38c8c895aea82ca62036478e04f70e94f86b6adc206853a35ab3',
    ],
  },
];
