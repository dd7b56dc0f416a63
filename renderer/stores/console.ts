import { create } from 'zustand';
import type { ConsoleState, HighlightRule, Pattern } from '../../shared/domain/console.ts';
import type { ConsoleForm, LineEnding, Parity } from '../../shared/domain/console-names.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import { call } from '../rpc/client.ts';
import { type ConsoleRows, noRows, withBatch } from './console-lines.ts';
import { useStudio } from './studio.ts';

/** Between two readings, so that a flood of lines leaves the window time to draw. */
const pauseMs = 50;
const waitMs = 1000;
const mostHistory = 100;

/** How what is typed is sent. */
export type SendAs = LineEnding | 'hex';

/** Which part of the bench is shown beside the boards. */
export type BenchPart = 'runs' | 'console' | 'connection';

interface ConsoleStore {
  readonly part: BenchPart;
  /** The port whose console is shown, or would be opened. */
  readonly port: string;
  readonly baudRate: number;
  readonly parity: Parity;
  /** Where the shown console stands; null while it is not open. */
  readonly state: ConsoleState | null;
  readonly held: ConsoleRows;
  readonly filter: Pattern | null;
  /** Why the filter or a rule cannot be used. */
  readonly filterProblem: Problem | null;
  readonly rules: readonly HighlightRule[];
  readonly form: ConsoleForm;
  readonly hasTimes: boolean;
  readonly isPaused: boolean;
  readonly sendAs: SendAs;
  /** What was sent, newest first. */
  readonly history: readonly string[];
  show(part: BenchPart): void;
  setPort(port: string): void;
  setLine(line: { readonly baudRate: number; readonly parity: Parity }): void;
  setFilter(filter: Pattern | null): void;
  setRules(rules: readonly HighlightRule[]): void;
  setForm(form: ConsoleForm): void;
  setTimes(hasTimes: boolean): void;
  setPaused(isPaused: boolean): void;
  setSendAs(sendAs: SendAs): void;
  open(): Promise<void>;
  close(): Promise<void>;
  clear(): Promise<void>;
  /** Whether it was sent. */
  send(typed: string): Promise<boolean>;
  setSignals(signals: { readonly dtr: boolean; readonly rts: boolean }): Promise<void>;
  startCapture(handle: string, name: string): Promise<void>;
  endCapture(): Promise<void>;
  /** Reads the shown console again and again until the signal. */
  follow(signal: AbortSignal): Promise<void>;
}

/** The serial console that is shown; what was read stays while other views are open. */
export const useConsole = create<ConsoleStore>((set, get) => {
  let readTo = 0;
  let version = -1;
  /** Another number when everything is read anew. */
  let reading = 0;
  const readAnew = (): void => {
    reading++;
    readTo = 0;
    version = -1;
    set({ held: noRows, filterProblem: null });
  };
  const act = (work: () => Promise<unknown>): Promise<boolean> =>
    useStudio.getState().act(async () => void (await work()));
  const readOnce = async (): Promise<boolean> => {
    const { port, filter, rules, form } = get();
    const turn = reading;
    const batch = await call('bench.console.read', {
      port,
      afterLine: readTo,
      version,
      waitMs,
      form,
      highlights: [...rules],
      ...(filter ? { filter } : {}),
    });
    if (turn !== reading) return true;
    ({ readTo, version } = batch);
    set({ state: batch.state, held: withBatch(get().held, batch, form) });
    return batch.hasMore;
  };
  return {
    part: 'runs',
    port: '',
    baudRate: 115_200,
    parity: 'none',
    state: null,
    held: noRows,
    filter: null,
    filterProblem: null,
    rules: [],
    form: 'text',
    hasTimes: true,
    isPaused: false,
    sendAs: 'lf',
    history: [],
    show: (part) => set({ part }),
    setPort: (port) => {
      if (port === get().port) return;
      set({ port, state: null });
      readAnew();
    },
    setLine: (line) => {
      set(line);
      const { state, port } = get();
      if (state) void act(() => call('bench.console.open', { port, ...line }));
    },
    setFilter: (filter) => {
      set({ filter });
      readAnew();
    },
    setRules: (rules) => {
      set({ rules });
      readAnew();
    },
    setForm: (form) => {
      set({ form });
      readAnew();
    },
    setTimes: (hasTimes) => set({ hasTimes }),
    setPaused: (isPaused) => set({ isPaused }),
    setSendAs: (sendAs) => set({ sendAs }),
    open: async () => {
      const { port, baudRate, parity } = get();
      await act(async () => {
        const state = await call('bench.console.open', { port, baudRate, parity });
        if (get().port !== port) return;
        readAnew();
        set({ state, isPaused: false });
      });
    },
    close: async () => {
      await act(() => call('bench.console.close', { port: get().port }));
      reading++;
      set({ state: null });
    },
    clear: async () => {
      await act(async () => {
        const { clearedTo } = await call('bench.console.clear', { port: get().port });
        readAnew();
        readTo = clearedTo;
      });
    },
    send: async (typed) => {
      const { port, sendAs, history } = get();
      const what = sendAs === 'hex' ? { hex: typed } : { text: typed, lineEnding: sendAs };
      const isSent = await act(() => call('bench.console.send', { port, ...what }));
      if (isSent && typed !== '') {
        const others = history.filter((entry) => entry !== typed);
        set({ history: [typed, ...others].slice(0, mostHistory) });
      }
      return isSent;
    },
    setSignals: async (signals) => {
      await act(() => call('bench.console.signals', { port: get().port, ...signals }));
    },
    startCapture: async (handle, name) => {
      const form = name.endsWith('.log') ? 'log' : 'raw';
      await act(() => call('bench.console.capture', { port: get().port, out: handle, form }));
    },
    endCapture: async () => {
      await act(() => call('bench.console.endCapture', { port: get().port }));
    },
    follow: async (signal) => {
      while (!signal.aborted) {
        const { state, isPaused, filterProblem } = get();
        if (state && !isPaused && !filterProblem) {
          const turn = reading;
          try {
            await readOnce();
          } catch (error) {
            const problem = toProblem(error);
            if (turn !== reading) continue;
            if (problem.code === 'bad-pattern') set({ filterProblem: problem });
            else set({ state: null });
          }
        }
        await new Promise((done) => setTimeout(done, pauseMs));
      }
    },
  };
});
