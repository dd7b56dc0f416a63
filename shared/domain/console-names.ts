/** What ends a line that is sent; apart from the schemas, so that the page loads none. */
export const lineEndings = { lf: '\n', cr: '\r', crlf: '\r\n', none: '' } as const;
export type LineEnding = keyof typeof lineEndings;

/** How a console shows bytes. */
export const consoleForms = ['text', 'hex'] as const;
export type ConsoleForm = (typeof consoleForms)[number];

/** How a capture is written: lines with times, or the received bytes as they came. */
export const captureForms = ['log', 'raw'] as const;
export type CaptureForm = (typeof captureForms)[number];

export const parities = ['none', 'even', 'odd'] as const;
export type Parity = (typeof parities)[number];

/** What a marked part of a line means. */
export const markTones = ['bad', 'warn', 'info', 'good'] as const;
export type MarkTone = (typeof markTones)[number];

/** Received bytes that a console keeps for reading; a capture keeps all. */
export const consoleRingBytes = 16 * 1024 * 1024;
export const consoleRingLines = 200_000;
