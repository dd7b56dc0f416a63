import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from './run.mjs';

/** The workspace to open: $SLIPWAY_WORKSPACE, or the user's own copy of the sample project. */
export function sampleProject() {
  const workspace = process.env.SLIPWAY_WORKSPACE ?? join(homedir(), 'Slipway', 'sample-project');
  if (!existsSync(join(workspace, 'slipway.yaml'))) {
    mkdirSync(dirname(workspace), { recursive: true });
    cpSync(join(root, 'resources/sample'), workspace, { recursive: true });
    console.log(`The sample project is in ${workspace}`);
  }
  return workspace;
}
