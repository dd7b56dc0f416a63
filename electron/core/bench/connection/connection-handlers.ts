import type { Handlers } from '../../handlers.ts';
import type { Connections } from './connections.ts';

type ConnectionHandlers = Pick<
  Handlers,
  Extract<keyof Handlers, 'bench.connection' | `bench.connection.${string}`>
>;

/** The calls of the help for connections. */
export function connectionHandlers(
  connections: Connections,
  toWrite: (ref: string) => string,
): ConnectionHandlers {
  return {
    'bench.connection': ({ port }) => connections.report(port),
    'bench.connection.save': ({ port, ...changes }) => connections.save(port, changes),
    'bench.connection.try': ({ port, resetSequence }) => connections.try(port, resetSequence),
    'bench.connection.saveRule': ({ port, advice, out }) =>
      connections.saveRule(port, advice, toWrite(out)),
  };
}
