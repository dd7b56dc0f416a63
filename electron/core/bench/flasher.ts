import type { McuVersion } from '../../../shared/domain/bench.ts';
import type { VerifyMethod } from '../../../shared/domain/bench-names.ts';
import type { BootCommands } from '../../../shared/domain/boot-commands.ts';
import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';
import type { ByteChannel } from './byte-channel.ts';
import type { LinkOptions } from './serial-link.ts';

/** What answered on a port. */
export interface BoardIdentity {
  /** Name of the chip or module, as policies and rules write it. */
  readonly chip: string;
  /** Whether this chip can be flashed; when not, nothing is written. */
  readonly isSupported: boolean;
  /** What tells this very board from others of its kind (MAC, unique id, IMEI), where the protocol tells it. */
  readonly boardId: string | null;
  /** For the recording, for example the version of the bootloader. */
  readonly remark: string;
  /** The chip refuses to be read, and to be flashed, until it is erased as a whole. */
  readonly isReadProtected?: boolean;
}

/** Memory of a board that nothing may erase or write, in bytes from `start`. */
export interface ProtectedRegion {
  readonly name: string;
  readonly start: number;
  readonly sizeBytes: number;
}

/** Tells how far a step is: `done` of `total`. */
export type Tell = (done: number, total: number) => void;

/** One image on its way onto one board, laid out and measured; the steps are called in this order. */
export interface FlashWork {
  /** Bytes that will be written. */
  readonly totalBytes: number;
  /** Bytes of blank blocks, which erased flash holds already. */
  readonly skippedBytes: number;
  /** Bytes that were left because the board holds them already. */
  readonly unchangedBytes: number;
  /** Erases what will be written, told in sectors; absent where the protocol erases by itself. */
  readonly erase?: (tell: Tell) => Promise<void>;
  /** Told in bytes. */
  readonly write: (tell: Tell) => Promise<void>;
  /**
   * Compares what the board holds with the image and says how, told in bytes; null where the protocol has no way to.
   * @throws ProblemError `verify-failed`
   */
  readonly verify: (tell: Tell) => Promise<VerifyMethod | null>;
  /** The board starts the image as soon as it is written, so that its boot log begins before the verification. */
  readonly startsItself?: boolean;
  /** Starts the image; everything received from here on is its boot log. */
  readonly start: () => Promise<void>;
  /** Asks the started board for its version, where there is a question for that; null when it does not answer. */
  readonly askVersion?: () => Promise<string | null>;
}

/** A protocol's side of a flash on one open line. */
export interface Flasher {
  /** @throws ProblemError `no-bootloader` when nothing answers */
  connect(): Promise<BoardIdentity>;
  /**
   * Lays the image out for the board; with `changedOnly` also asks which sectors hold it already.
   * @throws ProblemError `image-outside-flash` | `image-empty`
   */
  plan(image: FirmwareImage, tell: Tell): Promise<FlashWork>;
  /** Takes off the read-out protection, which erases everything; the board restarts. Absent where there is none. */
  unprotect?(): Promise<void>;
}

/** What the user decides beside image and port. */
export interface FlasherOptions {
  /** Leave sectors that hold the image already: less to write, and the way on after an unplugged cable. */
  readonly changedOnly: boolean;
  /** Memory that nothing may erase or write. */
  readonly keepOut: readonly ProtectedRegion[];
  /** Where a module fetches the package itself, instead of taking it over the line. */
  readonly url?: string;
  /** The MCU that a module upgrades, and what it runs; absent: what the module says. */
  readonly mcu?: McuVersion;
  /** What is typed at a bootloader's prompt. */
  readonly bootCommands?: BootCommands;
  /** Flash an Espressif chip through a stub in its RAM instead of its ROM. */
  readonly usesStub?: boolean;
  /** The speed to flash at. */
  readonly baudRate: number;
  /** The speed at which the line was opened. */
  readonly connectBaudRate: number;
}

/** A protocol as the bench knows it. */
export interface FlashProtocol {
  /** How the line is opened. */
  readonly line: LinkOptions;
  /** The speed that a protocol which can change it goes on with, unless told otherwise. */
  readonly workBaudRate?: number;
  /** The file goes to the board as it is, whatever its format. */
  readonly sendsFile?: boolean;
  readonly open: (channel: ByteChannel, options: FlasherOptions) => Flasher | Promise<Flasher>;
}
