import { packageProtocol } from '../../../shared/protocols/firmware-update.ts';
import type { Job } from '../plans/rollout-engine.ts';
import type { ArtifactKeys } from '../store/artifact-keys.ts';

/** An address of an artifact. */
export interface PackageUri {
  readonly uri: string;
  /** The value of Protocol Support that it needs. */
  readonly protocol: number;
  /** Whether nobody on the way can read or change what comes from there. */
  readonly isProtected: boolean;
}

/** Where artifacts are served. */
export interface ArtifactBases {
  /** `http://host:port` or `https://…` */
  readonly http: string;
  /** Null when it is not served. */
  readonly coap: string | null;
  /** Null when it is not served. */
  readonly coaps: string | null;
}

/** The addresses of a job's artifact for a device, the best way first: protected ones for who came over DTLS, then the fastest. */
export function packageUris(
  bases: ArtifactBases,
  keys: ArtifactKeys,
  { actionId, pkg }: Job,
  isSecure: boolean,
): PackageUri[] {
  const path = `a/${actionId}/${keys.keyOf(actionId)}/${encodeURIComponent(pkg.targetVersion)}`;
  const isTls = bases.http.startsWith('https:');
  const { http, https, coap, coaps } = packageProtocol;
  const ways = [
    { base: bases.http, protocol: isTls ? https : http, isProtected: isTls },
    // Who came in the clear has shown no key for it.
    { base: isSecure ? bases.coaps : null, protocol: coaps, isProtected: true },
    { base: bases.coap, protocol: coap, isProtected: false },
  ];
  const uris = ways.flatMap(({ base, ...way }) =>
    base === null ? [] : [{ ...way, uri: `${base}/${path}` }],
  );
  return isSecure
    ? uris.sort((one, other) => Number(other.isProtected) - Number(one.isProtected))
    : uris;
}
