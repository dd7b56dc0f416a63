import { createStudio } from '../../electron/core/studio.ts';

/** Run as a process of its own, so that it can be killed: VERSION IMAGE pairs become packages, with deltas between them. */
const [workspacePath = '', productId = '', componentId = '', ...pairs] = process.argv.slice(2);
const studio = await createStudio({ workspacePath });
let previous: string | null = null;
for (let at = 0; at < pairs.length; at += 2) {
  const [version = '', image = ''] = pairs.slice(at);
  const release =
    (await studio.ask('releases.list', {})).find((known) => known.version === version) ??
    (await studio.ask('releases.create', { productId, version }));
  const target = await studio.ask('bundle.create', {
    releaseId: release.id,
    componentId,
    files: [image],
  });
  if (previous)
    await studio.ask('delta.create', { sourcePackageId: previous, targetPackageId: target.id });
  await studio.ask('evidence.export', { releaseId: release.id });
  previous = target.id;
}
await studio.close();
