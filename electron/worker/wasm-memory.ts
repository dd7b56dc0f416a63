const memorySection = 5;
const pagesWidth = 3;

/**
 * A copy of a WebAssembly module whose memory cannot grow beyond `mostPages` of 64 KiB (below
 * 2^21): the module's own maximum, which must take three bytes, is lowered.
 * Source: WebAssembly Core Specification, 5.5.8. @throws Error when the module states no such maximum
 */
export function limitWasmMemory(module: Uint8Array, mostPages: number): ArrayBuffer {
  const bytes = Uint8Array.from(module);
  let at = 8;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = next() + at;
    if (section === memorySection) {
      const [memories, flags] = [next(), next()];
      next(); // pages at the beginning
      const from = at;
      next(); // most pages
      if (memories !== 1 || (flags & 1) === 0 || at - from !== pagesWidth) break;
      bytes[from] = (mostPages & 0x7f) | 0x80;
      bytes[from + 1] = ((mostPages >> 7) & 0x7f) | 0x80;
      bytes[from + 2] = mostPages >> 14;
      return bytes.buffer;
    }
    at = end;
  }
  throw new Error('the WebAssembly module states no maximum of its memory');
}
