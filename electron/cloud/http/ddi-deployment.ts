import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Job } from '../plans/rollout-engine.ts';
import type { StoredPackage } from '../store/packages.ts';

/** The job that an address of DDI names. */
export const actionParams = z.object({
  actionId: z.coerce
    .number()
    .int()
    .positive()
    .max(2 ** 53 - 1),
});

/** What a device is to download and install; `root` is its own base address. */
export function deployment(job: Job, root: string): object {
  const { pkg } = job;
  const metadata = [
    { key: 'packageType', value: pkg.packageType },
    { key: 'targetVersion', value: pkg.targetVersion },
    ...(pkg.sourceVersion === null ? [] : [{ key: 'sourceVersion', value: pkg.sourceVersion }]),
    ...(pkg.rebuiltSha256 === null ? [] : [{ key: 'targetSha256', value: pkg.rebuiltSha256 }]),
    { key: 'componentId', value: job.componentId },
  ];
  return {
    download: 'forced',
    update: 'forced',
    chunks: [
      {
        part: job.componentId,
        version: pkg.targetVersion,
        name: pkg.name,
        metadata,
        artifacts: [artifactOf(pkg, root)],
      },
    ],
  };
}

/** One file of a deployment, with its MD5 apart for clients that check only that. */
export function artifactOf({ id, artifact, hashes }: StoredPackage, root: string): object {
  const { name, sizeBytes, sha256 } = artifact;
  const href = `${root}/softwaremodules/${encodeURIComponent(id)}/artifacts/${encodeURIComponent(name)}`;
  const md5sum = { href: `${href}.MD5SUM` };
  return {
    filename: name,
    size: sizeBytes,
    hashes: hashes ?? { sha256 },
    _links: {
      download: { href },
      'download-http': { href },
      ...(hashes ? { md5sum, 'md5sum-http': md5sum } : {}),
    },
  };
}

/** Where a device finds its job. As in hawkBit, `c` stands for the content, and some clients insist on it. */
export function jobHref(root: string, { actionId, pkg }: Job): string {
  return `${root}/${actionId}?c=${pkg.artifact.sha256.slice(0, 8)}`;
}

/** The device's own base address as the device wrote it, so that it works through a forwarded port too. */
export function deviceRoot(request: FastifyRequest): string {
  const { tenant } = request.params as { tenant: string };
  return `${request.protocol}://${request.host}/${tenant}/controller/v1/${encodeURIComponent(request.deviceId)}`;
}
