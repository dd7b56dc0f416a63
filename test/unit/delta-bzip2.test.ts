import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { bzip2 } from '../../electron/core/delta/bzip2.ts';

test('compressing leaves no handler behind in the process', async () => {
  const handlers = (): number =>
    process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection');
  const before = handlers();
  const bytes = randomBytes(10_000);
  const packed = await bzip2.compress(bytes);
  expect(Buffer.from(await bzip2.decompress(packed)).equals(bytes)).toBe(true);
  expect(handlers()).toBe(before);
});
