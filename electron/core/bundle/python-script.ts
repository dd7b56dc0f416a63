import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { checkPythonLayout } from '../../../shared/formats/python-layout.ts';
import type { Report } from '../../../shared/formats/report.ts';
import { parsePython } from './python-parser.ts';
import { type Inside, nothingKnown, type Reading } from './reading.ts';

/** Scripts for devices have some kilobytes: what is larger is no script that a person wrote. */
const largestScriptBytes = 256 * 1024;

/** Checks a Python script by its text, its layout and its grammar; nothing of it is run. */
export async function readPythonScript(source: ByteSource, reading: Reading): Promise<Inside> {
  const { findings, signal } = reading;
  if (source.sizeBytes > largestScriptBytes) {
    findings.add('script.too-long', `${source.sizeBytes} bytes`, {
      expected: `at most ${largestScriptBytes} bytes`,
      found: `${source.sizeBytes} bytes`,
    });
    return nothingKnown;
  }
  const text = decode(await source.read(0, source.sizeBytes));
  // Both are told by the pipeline; a parser would only stumble over the same place.
  if (text === null || /^(<{7}|>{7}) /m.test(text)) return nothingKnown;
  // A package's own file may be empty.
  const mayBeEmpty = /(^|\/)__init__\.py$/.test(reading.name);
  const report: Report = (rule, ...told) => {
    if (rule !== 'script.no-code' || !mayBeEmpty) findings.add(rule, ...told);
  };
  if (!checkPythonLayout(text, report)) return nothingKnown;
  const isParsed = await parsePython(text, findings, signal);
  if (isParsed && !findings.blocked) {
    const lines = text.replace(/(\r\n|\n|\r)$/, '').split(/\r\n|\n|\r/).length;
    findings.add('script.parsed', `${lines} lines, no syntax error; nothing was run`);
  }
  return nothingKnown;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
