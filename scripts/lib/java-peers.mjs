import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, root } from './run.mjs';
import { fingerprint, unlessDone } from './stamp.mjs';

const project = 'test/support/leshan';
const folder = '.peers/java/leshan';
const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** Installs the jars from Maven Central that the tests run, unless these very ones are there. */
export async function installJavaPeers() {
  if (process.platform !== 'linux')
    return console.log('The tests with the Leshan client need Linux, a JDK and Maven.');
  const wanted = fingerprint([`${project}/pom.xml`, `${project}/jars.sha256`]);
  await unlessDone('java-peers', wanted, join(folder, 'installed'), async () => {
    console.log(`Installing from Maven Central into ${folder}: the Leshan client`);
    rmSync(join(root, folder), { recursive: true, force: true });
    const target = `-DoutputDirectory=${join(root, folder)}`;
    await must('mvn', ['-q', '-B', '-f', join(project, 'pom.xml'), copy, target]);
    const sums = readFileSync(join(root, project, 'jars.sha256'), 'utf8')
      .trim()
      .split('\n');
    for (const [sum, name] of sums.map((line) => line.split(/ +/))) {
      const found = createHash('sha256').update(readFileSync(join(root, folder, name)));
      if (found.digest('hex') !== sum) throw new Error(`${name} is not the file that was pinned`);
    }
    writeFileSync(join(root, folder, 'installed'), wanted);
  });
}
