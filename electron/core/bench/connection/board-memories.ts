import { z } from 'zod';
import { type BoardMemory, boardMemorySchema } from '../../../../shared/domain/connection.ts';

const settingKey = 'bench.connections';
const memoriesSchema = z.record(z.string(), boardMemorySchema).catch({});

/** Where settings are kept: the workspace. */
export interface SettingStore {
  setting(key: string): string | null;
  setSetting(key: string, value: string): void;
}

/** What is remembered of boards: in the workspace, or without one as long as the program runs. */
export class BoardMemories {
  readonly #store: SettingStore;

  constructor(store: SettingStore | null) {
    const kept = new Map<string, string>();
    this.#store = store ?? {
      setting: (key) => kept.get(key) ?? null,
      setSetting: (key, value) => void kept.set(key, value),
    };
  }

  of(board: string): BoardMemory {
    return this.#all()[board] ?? {};
  }

  set(board: string, memory: BoardMemory): void {
    // Read again: another window or command may have written meanwhile.
    this.#store.setSetting(settingKey, JSON.stringify({ ...this.#all(), [board]: memory }));
  }

  #all(): Record<string, BoardMemory> {
    return memoriesSchema.parse(JSON.parse(this.#store.setting(settingKey) ?? '{}'));
  }
}
