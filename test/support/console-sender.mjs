// Sends numbered lines with their time into a serial port at a steady rate, prints the SHA-256 of all of them, and
// holds the port open until its input ends. Arguments: port, bytes, bytes per second.
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , port, total, rate] = process.argv;
const tickMs = 10;
const port0 = openSync(port, constants.O_RDWR | constants.O_NOCTTY);
const hash = createHash('sha256');
let sent = 0;
let lines = 0;
const startedMs = performance.now();
while (sent < Number(total)) {
  const dueBytes = Math.min(
    Number(total),
    ((performance.now() - startedMs + tickMs) / 1000) * Number(rate),
  );
  let piece = '';
  while (sent + piece.length < dueBytes)
    piece += `${Date.now()} ${++lines} temperature=${lines % 100}.5 status=${lines % 97 === 0 ? 'error' : 'ok'} ${'.'.repeat(lines % 40)}\n`;
  const bytes = Buffer.from(piece);
  for (let at = 0; at < bytes.length; ) at += writeSync(port0, bytes, at);
  hash.update(bytes);
  sent += bytes.length;
  await sleep(tickMs);
}
const elapsedMs = performance.now() - startedMs;
console.log(JSON.stringify({ sha256: hash.digest('hex'), sent, lines, elapsedMs }));
process.stdin.resume().once('end', () => closeSync(port0));
