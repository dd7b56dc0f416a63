import type Database from 'libsql';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { ArtifactHashes, ArtifactStore } from './artifact-store.ts';
import type { CloudDatabase } from './database.ts';
import { productMissing } from './devices.ts';

/** The file that a device downloads for a package. */
export interface ArtifactFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A package as the rollout needs it, with the checksums of its artifact once it has arrived. */
export interface StoredPackage {
  readonly id: string;
  readonly productId: string;
  readonly componentId: string;
  readonly packageType: 'full' | 'delta';
  readonly sourceVersion: string | null;
  readonly targetVersion: string;
  /** Of the image that a delta rebuilds; null for a full package. */
  readonly rebuiltSha256: string | null;
  readonly name: string;
  readonly artifact: ArtifactFile;
  readonly hashes: ArtifactHashes | null;
}

interface PackageRow {
  readonly id: string;
  readonly product_id: string;
  readonly component_id: string;
  readonly package_type: 'full' | 'delta';
  readonly source_version: string | null;
  readonly target_version: string;
  readonly rebuilt_sha256: string | null;
  readonly name: string;
  readonly artifact_name: string;
  readonly artifact_size_bytes: number;
  readonly artifact_sha256: string;
  readonly sha1: string | null;
  readonly md5: string | null;
}

/** Version packages and their artifacts. */
export class PackageStore {
  readonly #db: CloudDatabase;
  readonly #artifacts: ArtifactStore;
  readonly #sql: Record<'one' | 'insert' | 'product' | 'putArtifact', Database.Statement>;
  /** Packages never change once their artifact is there, and every download asks for one. */
  readonly #complete = new Map<string, StoredPackage>();

  constructor(db: CloudDatabase, artifacts: ArtifactStore) {
    this.#db = db;
    this.#artifacts = artifacts;
    this.#sql = {
      one: db.prepare(
        `SELECT p.id, p.product_id, p.component_id, p.package_type, p.source_version, p.target_version, p.name,
           p.body ->> '$.deltaProof.targetSha256' AS rebuilt_sha256, p.artifact_name, p.artifact_size_bytes, p.artifact_sha256, a.sha1, a.md5
         FROM packages p LEFT JOIN artifacts a ON a.sha256 = p.artifact_sha256 WHERE p.id = ?`,
      ),
      insert: db.prepare(
        `INSERT INTO packages (id, product_id, component_id, package_type, source_version, target_version,
           name, body, artifact_name, artifact_size_bytes, artifact_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      product: db.prepare('SELECT id FROM products WHERE id = ?'),
      putArtifact: db.prepare(
        'INSERT INTO artifacts (sha256, size_bytes, sha1, md5) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING',
      ),
    };
  }

  /**
   * Announces a package; idempotent by id and artifact.
   * @throws ProblemError `package-exists` when the id is taken by another package, `product-missing`
   */
  async put(pkg: VersionPackage, artifact: ArtifactFile): Promise<{ artifactNeeded: boolean }> {
    await this.#db.write(() => {
      const known = this.#read(pkg.id);
      if (!known) {
        if (!this.#sql.product.get(pkg.productId)) throw productMissing(pkg.productId);
        this.#insert(pkg, artifact);
        return;
      }
      const same =
        known.artifact.sha256 === artifact.sha256 &&
        known.artifact.sizeBytes === artifact.sizeBytes &&
        known.artifact.name === artifact.name &&
        known.targetVersion === pkg.targetVersion &&
        known.sourceVersion === pkg.sourceVersion &&
        known.packageType === pkg.packageType &&
        known.componentId === pkg.componentId &&
        known.productId === pkg.productId;
      if (same) return;
      throw problem(
        'package-exists',
        'Another package has this id',
        `Package ${pkg.id} is stored with artifact ${known.artifact.sha256} for ${known.targetVersion}.`,
        'Packages never change; make a new package with a new id.',
        'usage',
      );
    });
    return { artifactNeeded: !(await this.isComplete(this.require(pkg.id))) };
  }

  /** Stores the artifact of an announced package. @throws ProblemError `package-missing` */
  async receiveArtifact(packageId: string, source: AsyncIterable<Buffer>): Promise<void> {
    const { artifact } = this.require(packageId);
    const { sha256, sha1, md5 } = await this.#artifacts.receive(source, artifact);
    await this.#db.write(() => this.#sql.putArtifact.run(sha256, artifact.sizeBytes, sha1, md5));
  }

  /** The artifact is there no longer. */
  forget(sha256: string): void {
    for (const [id, { artifact }] of this.#complete)
      if (artifact.sha256 === sha256) this.#complete.delete(id);
  }

  /** Whether the artifact is there, in the database and on disk. */
  async isComplete(pkg: StoredPackage): Promise<boolean> {
    return pkg.hashes !== null && this.#artifacts.has(pkg.artifact.sha256, pkg.artifact.sizeBytes);
  }

  get(packageId: string): StoredPackage | null {
    const complete = this.#complete.get(packageId);
    if (complete) return complete;
    const stored = this.#read(packageId);
    if (stored?.hashes) this.#complete.set(packageId, stored);
    return stored;
  }

  require(packageId: string): StoredPackage {
    const found = this.get(packageId);
    if (found) return found;
    throw problem(
      'package-missing',
      'The version package is not there',
      `The cloud has no package ${packageId}.`,
      'Put the package and its artifact first.',
      'usage',
    );
  }

  #read(packageId: string): StoredPackage | null {
    const row = this.#sql.one.get(packageId) as PackageRow | undefined;
    return row ? toPackage(row) : null;
  }

  #insert(pkg: VersionPackage, artifact: ArtifactFile): void {
    this.#sql.insert.run(
      pkg.id,
      pkg.productId,
      pkg.componentId,
      pkg.packageType,
      pkg.sourceVersion,
      pkg.targetVersion,
      pkg.name,
      JSON.stringify(pkg),
      artifact.name,
      artifact.sizeBytes,
      artifact.sha256,
    );
  }
}

function toPackage(row: PackageRow): StoredPackage {
  const sha256 = row.artifact_sha256;
  return {
    id: row.id,
    productId: row.product_id,
    componentId: row.component_id,
    packageType: row.package_type,
    sourceVersion: row.source_version,
    targetVersion: row.target_version,
    rebuiltSha256: row.rebuilt_sha256,
    name: row.name,
    artifact: { name: row.artifact_name, sizeBytes: row.artifact_size_bytes, sha256 },
    hashes: row.sha1 !== null && row.md5 !== null ? { sha256, sha1: row.sha1, md5: row.md5 } : null,
  };
}
