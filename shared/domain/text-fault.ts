/** Where a typed text is wrong, in characters from its begin, and why. */
export interface TextFault {
  readonly position: number;
  readonly length: number;
  readonly message: string;
}

/** Whether what a parser returned is the place of a fault. */
export const isFault = (result: object): result is TextFault => 'message' in result;

/** A fault in words, with its place counted from 1, as people count. */
export const faultText = ({ position, message }: TextFault): string =>
  `Character ${position + 1}: ${message}.`;
