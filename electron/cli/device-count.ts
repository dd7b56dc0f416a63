import { InvalidArgumentError } from 'commander';

/** Reads a number of devices from the command line. @throws InvalidArgumentError */
export function deviceCount(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 10_000)
    throw new InvalidArgumentError('a whole number from 1 to 10000');
  return value;
}
