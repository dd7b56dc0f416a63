import { createRequire } from 'node:module';

// A CommonJS bundle whose names an import cannot see.
const { XzReadableStream } = createRequire(import.meta.url)(
  'xz-decompress',
) as typeof import('xz-decompress');

/** Largest dictionary that the engine allocates. */
export const mostDictionaryBytes = 64 * 1024 * 1024;

/** What the engine says about data that it cannot decode, by the numbers of its XZ Embedded. */
export class XzEngineError extends Error {
  /** Whether it lacks memory or an option, rather than the data being broken. */
  readonly isLimit: boolean;

  constructor(message: string) {
    super(message);
    this.isLimit = /code [346]$/.test(message);
  }
}

/**
 * Unpacks one .xz stream without a check. The engine decodes one stream at a time: a second one
 * must not be begun while the content of the first is read. @throws XzEngineError, and what `packed` throws
 */
export async function* unpackXzStream(
  packed: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let failure: { readonly error: unknown } | undefined;
  const source = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const step = await packed.next();
          if (step.done) controller.close();
          else controller.enqueue(step.value);
        } catch (error) {
          failure = { error };
          controller.error(error);
        }
      },
    },
    // Nothing is fetched ahead: a chunk holds only until the next one is asked for.
    { highWaterMark: 0 },
  );
  const reader = new XzReadableStream(source).getReader();
  try {
    for (;;) {
      const step = await reader.read();
      if (step.done) return;
      if (step.value.length > 0) yield step.value;
    }
  } catch (error) {
    if (failure !== undefined) throw failure.error;
    throw new XzEngineError((error as Error).message);
  } finally {
    // Lets the engine go, also when the content is not read to its end.
    await reader.cancel().catch(() => undefined);
  }
}
