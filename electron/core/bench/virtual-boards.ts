import type { PortInfo } from '../../../shared/domain/bench.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { servePty } from '../../boards/pty.ts';
import { VirtualStm32 } from '../../boards/stm32/virtual-stm32.ts';
import { type OpenLink, openSerialPort, type SerialLink } from './serial-link.ts';

interface Running {
  readonly info: PortInfo;
  readonly board: VirtualStm32;
  readonly close: () => Promise<void>;
}

/** Virtual boards of this process: reached by a `virtual:` path, or by a PTY that any program may open. */
export class VirtualBoards {
  readonly #running = new Map<string, Running>();
  #count = 0;

  /** @throws ProblemError `pty-unavailable` when a PTY is asked for and cannot be had */
  async start(
    kind: 'stm32',
    options: { linkPath?: string; paced?: boolean } = {},
  ): Promise<PortInfo> {
    const board = new VirtualStm32({ paced: options.paced ?? false });
    const path = options.linkPath ?? `virtual:${kind}-${++this.#count}`;
    const pty = options.linkPath ? await servePty(board, options.linkPath) : null;
    const info: PortInfo = {
      path,
      label: 'Virtual STM32F103 board',
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
        ? connect(running.board)
        : openSerialPort(path, options);
    };
  }

  async closeAll(): Promise<void> {
    for (const path of this.#running.keys()) await this.stop(path);
  }
}

/** A line to a virtual board; opening it resets the board into its bootloader, as DTR does on real ones. */
function connect(board: VirtualStm32): SerialLink {
  board.reset();
  return {
    write: async (bytes) => board.receive(bytes),
    onData: (listener) => board.onData(listener),
    onLost: (listener) => board.onUnplug(listener),
    // In this process a loss is always told.
    isPresent: async () => true,
    setParity: async () => undefined,
    close: async () => board.disconnect(),
  };
}
