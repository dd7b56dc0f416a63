/** What a product or component identifier consists of. */
export const idPattern = /^(?!(?:\.|\.\.|__proto__)$)[A-Za-z0-9_.-]{1,64}$/;
/** What a device id consists of: ids are keys of objects and parts of addresses, where `.`, `..` and `__proto__` mean something else. */
export const deviceIdPattern = /^(?!(?:\.|\.\.|__proto__)$)[A-Za-z0-9_.:-]{1,128}$/;
/** What a version consists of. */
export const versionPattern = /^[A-Za-z0-9_.-]{1,64}$/;
/** A file type is an extension with its dot. */
export const fileTypePattern = /^\.[A-Za-z0-9_.]{1,16}$/;
/** Beginning of the ICCID of a China Telecom SIM; an ICCID has at most 20 digits (ITU-T E.118). */
export const chinaTelecomIccidPattern = /^8986(03|11)\d{0,14}$/;

/** File types that a version package may hold; the user may add more in `slipway.yaml`. */
export const defaultFileTypes = [
  '.bin',
  '.rar',
  '.pack',
  '.mini_1',
  '.mini_2',
  '.py',
  '.tar',
  '.s19',
  '.bin_1',
  '.bin_2',
  '.zip',
  '.tar.gz',
  '.gz',
] as const;
export const maxFilesPerPackage = 5;
/** Most devices that one plan upgrades. */
export const maxDevicesPerPlan = 10_000;
/** How often the cloud tells DDI devices to ask for a job. */
export const ddiPollSeconds = 5;
/** 100 MB read as 100 x 2^20 bytes: the hard limit per file. */
export const maxFileSizeBytes = 100 * 1024 * 1024;
