import type { DescribedFormat } from '../../../shared/domain/described-format.ts';
import type { ImageSegment } from '../../../shared/domain/finding.ts';
import type { ImageIdentity } from '../../../shared/domain/image-identity.ts';
import type { IdentityContext } from '../../../shared/domain/identity/examined-file.ts';
import type { MemoryRegion } from '../../../shared/domain/product.ts';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import type { FindingList } from './finding-list.ts';
import type { Budget } from './limits.ts';
import type { NamedPublicKey } from './mcuboot-signature.ts';
import type { DescribedVersion } from './version-check.ts';

/** What is known about the package that the file is to be part of. */
export interface FileExpectations {
  readonly fileTypes: readonly string[];
  readonly version?: string;
  readonly component?: 'module' | 'mcu';
  readonly memory?: readonly MemoryRegion[];
  /** Chip of the component, as slipway.yaml names it. */
  readonly chip?: string;
  /** Formats that slipway.yaml describes. */
  readonly formats?: readonly DescribedFormat[];
  /** Keys that may sign for the component. */
  readonly publicKeys?: readonly NamedPublicKey[];
  /** Description of the product and records of what was released, where they are known. */
  readonly identity?: IdentityContext;
}

/** What a reader learned about the content besides its findings. */
export interface Inside {
  readonly segments: readonly ImageSegment[];
  /** Version that the image's own descriptor carries, compared with the declared one. */
  readonly version?: DescribedVersion;
  /** What the image says about itself. */
  readonly identity?: ImageIdentity;
  /** Whether the content is compressed, so that no text can be found in it. */
  readonly compressed: boolean;
}

/** What a reader tells that found nothing but findings. */
export const nothingKnown: Inside = { segments: [], compressed: false };

/** Content that stands in other content: a file in an archive, or what a compressed file holds. */
export interface Member {
  readonly name: string;
  /** Null for the one content of a compressed file, which has no path of its own. */
  readonly path: string | null;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Whether the content has gaps: then it is searched for texts only. */
  readonly isPartial?: boolean;
}

/** What a reader of a format gets besides the bytes. */
export interface Reading {
  readonly name: string;
  readonly format: string;
  /** Formats that the content stands in, the outermost first. */
  readonly around: readonly string[];
  /** Size of the whole file that everything stands in. */
  readonly fileSizeBytes: number;
  readonly expectations: FileExpectations;
  readonly findings: FindingList;
  readonly signal: AbortSignal;
  readonly budget: Budget;
  /** Hands on content in which texts are searched; see {@link FormatReader.search}. */
  readonly onContent: (bytes: Uint8Array) => void;
  /** Inspects a member like a file of its own; answers its format. */
  readonly onMember: (member: Member) => Promise<string>;
}

/** How content of one format is checked: the whole of what the pipeline knows about a format. */
export interface FormatReader {
  /**
   * What is searched for texts: the bytes as they stand; only what the reader hands on, because
   * they are packed or broken into blocks; or the bytes, but not for versions, because they are
   * compressed.
   */
  readonly search: 'bytes' | 'content' | 'compressed';
  /** Whether it calls {@link Reading.onMember}. */
  readonly holdsMembers?: boolean;
  /** Whether `stream` holds the decoded content in memory. */
  readonly decodesInMemory?: boolean;
  /** Reads the content in its order, in the one pass that searches and hashes it; may end early. */
  readonly stream?: (chunks: AsyncIterable<Uint8Array>, reading: Reading) => Promise<Inside>;
  /** Reads wherever it wants to, after that pass. */
  readonly read?: (source: ByteSource, reading: Reading) => Promise<Inside>;
}
