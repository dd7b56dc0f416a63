import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Job } from '../plans/rollout-engine.ts';

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
  const href = `${root}/softwaremodules/${encodeURIComponent(pkg.id)}/artifacts/${encodeURIComponent(pkg.artifact.name)}`;
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
        artifacts: [
          {
            filename: pkg.artifact.name,
            size: pkg.artifact.sizeBytes,
            hashes: pkg.hashes ?? { sha256: pkg.artifact.sha256 },
            _links: { download: { href }, 'download-http': { href } },
          },
        ],
      },
    ],
  };
}

/** The device's own base address as the device wrote it, so that it works through a forwarded port too. */
export function deviceRoot(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}/default/controller/v1/${encodeURIComponent(request.deviceId)}`;
}
