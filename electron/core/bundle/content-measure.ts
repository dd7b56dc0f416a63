import type { ContentEntropy } from '../../../shared/domain/finding.ts';
import { type BlankRuns, BlankScan } from './blank-scan.ts';
import { EntropyScan } from './entropy-scan.ts';

/** What was measured of one piece of content. */
export interface PieceMeasure {
  /** Null when there was too little content to measure. */
  readonly entropy: ContentEntropy | null;
  readonly blanks: BlankRuns;
}

/** Measures padding, holes and entropy of content while it is read. */
export class ContentMeasure {
  readonly #blank = new BlankScan();
  readonly #entropy = new EntropyScan();

  readonly push = (bytes: Uint8Array): void => {
    this.#blank.push(bytes);
    this.#entropy.push(bytes);
  };

  /** Ends one piece of content and begins the next. */
  endPiece(): PieceMeasure {
    return { entropy: this.#entropy.endPiece(), blanks: this.#blank.endPiece() };
  }
}
