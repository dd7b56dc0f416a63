import { pythonPeer } from './peers.ts';

/** Runs commands of imgtool one after another in one interpreter; each is told as done or refused. */
export async function imgtool(
  commands: readonly (readonly string[])[],
): Promise<readonly { readonly done: boolean; readonly text: string }[]> {
  const { code, stdout, stderr } = await pythonPeer('python', [
    '-c',
    script,
    JSON.stringify(commands),
  ]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n[') + 1)) as {
    done: boolean;
    text: string;
  }[];
}

const script = `
import contextlib, io, json, sys
from imgtool.main import imgtool
results = []
for command in json.loads(sys.argv[1]):
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            code = imgtool(command, standalone_mode=False)
        results.append({'done': not code, 'text': out.getvalue()})
    except BaseException as error:
        done = isinstance(error, SystemExit) and not error.code
        results.append({'done': done, 'text': out.getvalue() + repr(error)})
print('\\n' + json.dumps(results))
`;
