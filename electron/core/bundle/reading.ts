import type { ImageSegment } from '../../../shared/domain/finding.ts';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import type { FindingList } from './finding-list.ts';
import type { MemoryRegion } from './memory-fit.ts';
import type { DescribedVersion } from './version-check.ts';

/** What is known about the package that the file is to be part of. */
export interface FileExpectations {
  readonly fileTypes: readonly string[];
  readonly version?: string;
  readonly component?: 'module' | 'mcu';
  readonly memory?: readonly MemoryRegion[];
  /** Chip of the component, as slipway.yaml names it. */
  readonly chip?: string;
}

/** What a reader learned about the content besides its findings. */
export interface Inside {
  readonly segments: readonly ImageSegment[];
  /** Version that the image's own descriptor carries, compared with the declared one. */
  readonly version?: DescribedVersion;
  /** Whether the content is compressed, so that no text can be found in it. */
  readonly compressed: boolean;
}

/** What a reader tells that found nothing but findings. */
export const nothingKnown: Inside = { segments: [], compressed: false };

/** What a reader of a format gets besides the bytes. */
export interface Reading {
  readonly name: string;
  readonly format: string;
  readonly expectations: FileExpectations;
  readonly findings: FindingList;
  readonly signal: AbortSignal;
  /** Hands on content in which texts are searched; see {@link FormatReader.search}. */
  readonly onContent: (bytes: Uint8Array) => void;
  /** Ends the content of a member that was handed on. */
  readonly onMemberEnd: (member: string) => void;
}

/** How content of one format is checked: the whole of what the pipeline knows about a format. */
export interface FormatReader {
  /**
   * What is searched for texts: the bytes as they stand; only what the reader hands on, because
   * they are packed or broken into blocks; or the bytes, but not for versions, because they are
   * compressed.
   */
  readonly search: 'bytes' | 'content' | 'compressed';
  /** Reads the content in its order, in the one pass that hashes it; may end early. */
  readonly stream?: (chunks: AsyncIterable<Buffer>, reading: Reading) => Promise<Inside>;
  /** Reads wherever it wants to, after that pass. */
  readonly read?: (source: ByteSource, reading: Reading) => Promise<Inside>;
}
