/** Ways to reach a boot loader; apart from the schemas, so that the page loads none. */
export const protocols = [
  'stm32',
  'esp',
  'smp',
  'stk500',
  'ymodem',
  'xmodem',
  'quectel',
  'qiot',
] as const;
export type Protocol = (typeof protocols)[number];

/** Kinds of virtual boards. */
export const virtualBoardNames = [
  'stm32',
  'esp32',
  'smp',
  'optiboot',
  'ymodem',
  'quectel',
] as const;
export type VirtualBoardKind = (typeof virtualBoardNames)[number];

/** What a virtual board does wrong, as real ones do. */
export const boardFaults = [
  /** Read-out protection (STM32): reading, writing, erasing and starting are refused. */
  'read-protected',
  /** Write protection (STM32): says that it erased and wrote, and did not. */
  'write-protected',
  /** Bytes that nobody sent arrive after each reset. */
  'stray-bytes',
  /** The power fails once, in the middle of the work, and comes back. */
  'power-loss',
] as const;
export type BoardFault = (typeof boardFaults)[number];

/** How what the board holds is compared with the image. */
export const verifyMethods = ['read-back', 'md5', 'hash', 'crc32', 'checksum'] as const;
export type VerifyMethod = (typeof verifyMethods)[number];

/** Each protocol, for people. */
export const protocolNames: Readonly<Record<Protocol, string>> = {
  stm32: 'STM32 (AN3155)',
  esp: 'Espressif ROM loader',
  smp: 'MCUboot, Zephyr (SMP)',
  stk500: 'Arduino (STK500v1)',
  ymodem: 'YMODEM',
  xmodem: 'XMODEM-1K',
  quectel: 'Quectel module (AT)',
  qiot: 'MCU behind Quectel (QIOT)',
};

/** Each kind of virtual board: what it is called, and the protocol that flashes it. */
export const virtualBoardKinds: Readonly<
  Record<VirtualBoardKind, { readonly name: string; readonly protocol: Protocol }>
> = {
  stm32: { name: 'STM32F103', protocol: 'stm32' },
  esp32: { name: 'ESP32', protocol: 'esp' },
  smp: { name: 'Zephyr with MCUboot', protocol: 'smp' },
  optiboot: { name: 'Arduino Uno', protocol: 'stk500' },
  ymodem: { name: 'YMODEM bootloader', protocol: 'ymodem' },
  quectel: { name: 'Quectel module', protocol: 'quectel' },
};

/** Each way to verify, in words that follow `verified … by`. */
export const verifyWords: Readonly<Record<VerifyMethod, string>> = {
  'read-back': 'read-back',
  md5: 'its MD5',
  crc32: 'the CRC-32 that the bootloader tells',
  checksum: 'the checksum that the module tells',
  hash: 'the hash that the board tells',
};
