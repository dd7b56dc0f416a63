import { z } from 'zod';

const line = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x20-\x7e]+$/, 'one line of printable ASCII');

/**
 * What is typed at the prompt of a bootloader (U-Boot, RT-Thread) around a transfer by XMODEM or YMODEM. In every
 * command `{size}` stands for the size of the image in bytes, hexadecimal with `0x`.
 */
export const bootCommandsSchema = z.strictObject({
  /** How the prompt ends, for example `=>` or `msh />`; absent: `=>`, or a word with `>` or `#` behind it. */
  prompt: line.optional(),
  /** Makes the bootloader wait for the file, for example `loady 0x42000000`. */
  load: line.default('loady'),
  /** Bring what was received into the memory that it is started from. */
  write: z.array(line).max(20).default([]),
  /** Bring what was written back to where `sum` looks. */
  readBack: z.array(line).max(20).default([]),
  /** Prints the CRC-32 of what is there; absent: nothing is verified. */
  sum: line.optional(),
  /** Starts the image, for example `reset`. */
  start: line.optional(),
});
export type BootCommands = z.infer<typeof bootCommandsSchema>;
