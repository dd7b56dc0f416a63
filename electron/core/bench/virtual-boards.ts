import type { PortInfo, VirtualBoardKind } from '../../../shared/domain/bench.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { servePty } from '../../boards/pty.ts';
import { VirtualEsp32 } from '../../boards/esp32/virtual-esp32.ts';
import { VirtualStm32 } from '../../boards/stm32/virtual-stm32.ts';
import type { VirtualBoard } from '../../boards/virtual-board.ts';
import { type LinkOptions, type OpenLink, openSerialPort, type SerialLink } from './serial-link.ts';

interface BoardKind {
  readonly label: string;
  readonly make: (options: { readonly isPaced: boolean }) => VirtualBoard;
}

const kinds: Readonly<Record<VirtualBoardKind, BoardKind>> = {
  stm32: {
    label: 'Virtual STM32F103 board',
    make: (options) => new VirtualStm32(options),
  },
  esp32: { label: 'Virtual ESP32 board', make: (options) => new VirtualEsp32(options) },
};

interface Running {
  readonly info: PortInfo;
  readonly board: VirtualBoard;
  readonly close: () => Promise<void>;
}

/** Virtual boards of this process: reached by a `virtual:` path, or by a PTY that any program may open. */
export class VirtualBoards {
  readonly #running = new Map<string, Running>();
  #count = 0;

  /** @throws ProblemError `pty-unavailable` when a PTY is asked for and cannot be had */
  async start(
    kind: VirtualBoardKind,
    options: { linkPath?: string; paced?: boolean } = {},
  ): Promise<PortInfo> {
    const { label, make } = kinds[kind];
    const board = make({ isPaced: options.paced ?? false });
    const path = options.linkPath ?? `virtual:${kind}-${++this.#count}`;
    const pty = options.linkPath ? await servePty(board, options.linkPath) : null;
    const info: PortInfo = {
      path,
      label,
      serialNumber: null,
      virtual: true,
    };
    this.#running.set(path, { info, board, close: async () => pty?.close() });
    return info;
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

  list(): PortInfo[] {
    return [...this.#running.values()].map((running) => running.info);
  }

  /** Opens virtual boards of this process by their path, everything else as a port of the system. */
  opener(): OpenLink {
    return async (path, options) => {
      const running = this.#running.get(path);
      return running && path.startsWith('virtual:')
        ? connect(running.board, options)
        : openSerialPort(path, options);
    };
  }

  async closeAll(): Promise<void> {
    for (const path of this.#running.keys()) await this.stop(path);
  }
}

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
