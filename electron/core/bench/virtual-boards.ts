import type { PortInfo } from '../../../shared/domain/bench.ts';
import type { BoardFault, VirtualBoardKind } from '../../../shared/domain/bench-names.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { servePty, serveResettingPty } from '../../boards/pty.ts';
import { VirtualEsp32 } from '../../boards/esp32/virtual-esp32.ts';
import type { McuPackage } from '../../boards/quectel/qiot-session.ts';
import { VirtualQuectel } from '../../boards/quectel/virtual-quectel.ts';
import { VirtualStm32 } from '../../boards/stm32/virtual-stm32.ts';
import { VirtualYmodemBoard } from '../../boards/ymodem/virtual-ymodem-board.ts';
import type { BoardSetup, VirtualBoard } from '../../boards/virtual-board.ts';
import {
  type LinkOptions,
  type OpenLink,
  openSerialPort,
  portLost,
  type SerialLink,
} from './serial-link.ts';

interface BoardOptions extends BoardSetup {
  /** Of an optiboot board: its bootloader, as an Intel HEX file. */
  readonly bootloader: string | undefined;
  /** Of a module: what its cloud has for the MCU behind it. */
  readonly mcuPackage: McuPackage | undefined;
}

interface BoardKind {
  readonly label: string;
  readonly make: (options: BoardOptions) => VirtualBoard | Promise<VirtualBoard>;
  /** The board resets when its port is opened, also over a PTY. */
  readonly resetsOnOpen?: boolean;
}

// Boards that need a package of their own are loaded when one is started, not with the program.
const kinds: Readonly<Record<VirtualBoardKind, BoardKind>> = {
  stm32: { label: 'Virtual STM32F103 board', make: (options) => new VirtualStm32(options) },
  esp32: { label: 'Virtual ESP32 board', make: (options) => new VirtualEsp32(options) },
  smp: {
    label: 'Virtual Zephyr board with MCUboot',
    make: async (options) => {
      const { VirtualSmpBoard } = await import('../../boards/smp/virtual-smp-board.ts');
      return new VirtualSmpBoard(options);
    },
  },
  quectel: {
    label: 'Virtual Quectel EG800K module',
    make: (options) => new VirtualQuectel(options),
  },
  ymodem: {
    label: 'Virtual Cortex-M board with a YMODEM bootloader',
    make: (options) => new VirtualYmodemBoard(options),
    resetsOnOpen: true,
  },
  optiboot: {
    label: 'Virtual Arduino Uno with its real bootloader',
    make: async ({ bootloader, fault }) => {
      const { findBootloader } = await import('../../boards/optiboot/find-bootloader.ts');
      const { VirtualOptiboot } = await import('../../boards/optiboot/virtual-optiboot.ts');
      return new VirtualOptiboot(await findBootloader(bootloader), fault);
    },
    resetsOnOpen: true,
  },
};

/** How a board is started. */
interface StartOptions {
  readonly linkPath?: string;
  readonly paced?: boolean;
  readonly bootloader?: string;
  /** 0 to 99; absent: the first that no running board of the kind has. */
  readonly unit?: number;
  readonly mcuPackage?: McuPackage;
  readonly fault?: BoardFault;
}

interface Running {
  readonly info: PortInfo;
  readonly board: VirtualBoard;
  readonly close: () => Promise<void>;
}

/** Virtual boards of this process: reached by a `virtual:` path, or by a PTY that any program may open. */
export class VirtualBoards {
  readonly #running = new Map<string, Running>();
  #count = 0;

  /**
   * Starts a board; `bootloader` is for optiboot boards.
   * @throws ProblemError `pty-unavailable` when a PTY is asked for and cannot be had, `bootloader-missing`, `no-such-fault`
   */
  async start(kind: VirtualBoardKind, options: StartOptions = {}): Promise<PortInfo> {
    const { label, make, resetsOnOpen } = kinds[kind];
    const { linkPath, paced = false, bootloader, mcuPackage, fault } = options;
    if (fault?.endsWith('-protected') && kind !== 'stm32') throw noSuchFault(kind, fault);
    const unit = options.unit ?? this.#freeUnit(kind);
    const board = await make({ isPaced: paced, fault, bootloader, mcuPackage, unit });
    const path = linkPath ?? `virtual:${kind}-${++this.#count}`;
    const serve = resetsOnOpen ? serveResettingPty : servePty;
    const pty = linkPath === undefined ? null : await serve(board, linkPath);
    const info: PortInfo = {
      path,
      label,
      serialNumber: `${kind}-${unit}`,
      virtual: true,
      usbId: `usb:virtual:${kind}:${unit}`,
      usbInterface: null,
    };
    this.#running.set(path, { info, board, close: async () => pty?.close() });
    return info;
  }

  #freeUnit(kind: VirtualBoardKind): number {
    const taken = this.list().map(({ serialNumber }) => serialNumber);
    let unit = 0;
    while (taken.includes(`${kind}-${unit}`)) unit++;
    return unit;
  }

  async stop(path: string): Promise<void> {
    const running = this.#running.get(path);
    if (!running)
      throw problem(
        'unknown-board',
        'No such virtual board',
        `${path} is not running.`,
        'Refresh the list of ports.',
        'usage',
      );
    this.#running.delete(path);
    await running.close();
    running.board.unplug();
  }

  /** Pulls the cable of a board of this process, or puts it back; what its flash holds stays. */
  setPlugged(path: string, isPlugged: boolean): void {
    const board = this.#running.get(path)?.board;
    if (isPlugged) board?.plugIn();
    else board?.unplug();
  }

  list(): PortInfo[] {
    return [...this.#running.values()].map((running) => running.info);
  }

  /** Opens virtual boards of this process by their path, everything else as a port of the system. */
  opener(): OpenLink {
    return async (path, options) => {
      const running = this.#running.get(path);
      if (!running || !path.startsWith('virtual:')) return openSerialPort(path, options);
      if (running.board.isUnplugged) throw portLost(path);
      return connect(running.board, options);
    };
  }

  async closeAll(): Promise<void> {
    for (const path of this.#running.keys()) await this.stop(path);
  }
}

const noSuchFault = (kind: VirtualBoardKind, fault: BoardFault) =>
  problem(
    'no-such-fault',
    'This board has no such fault',
    `${kind} boards cannot be ${fault}; stm32 boards can.`,
    'Choose another board or another fault.',
    'usage',
  );

/** A line to a virtual board of this process. */
function connect(board: VirtualBoard, options: LinkOptions): SerialLink {
  board.setBaudRate(options.baudRate);
  board.opened();
  return {
    write: async (bytes) => board.receive(bytes),
    onData: (listener) => board.onData(listener),
    onLost: (listener) => board.onUnplug(listener),
    // In this process a loss is always told.
    isPresent: async () => true,
    setLine: async ({ baudRate }) => board.setBaudRate(baudRate),
    setSignals: async (signals) => {
      board.setSignals(signals);
      return true;
    },
    close: async () => board.disconnect(),
  };
}
