import { useEffect, useState } from 'react';
import type { Input } from '../../../shared/contract/contract.ts';
import type { FormatTest } from '../../../shared/domain/described-format.ts';
import { type Problem, toProblem } from '../../../shared/domain/problem.ts';
import { call, type PickedFile } from '../../rpc/client.ts';

/** A pause in typing after which what is typed is tested. */
const pauseMs = 350;

/** What the description makes of the file, read again whenever either changes. */
export function useFormatTest(
  format: Input<'formats.test'>['format'] | null,
  file: PickedFile | null,
): { readonly result: FormatTest | null; readonly problem: Problem | null } {
  const [tested, setTested] = useState<{ result: FormatTest | null; problem: Problem | null }>({
    result: null,
    problem: null,
  });
  const text = format === null ? null : JSON.stringify(format);
  const handle = file?.handle ?? null;
  useEffect(() => {
    if (text === null || handle === null) return undefined;
    let isCurrent = true;
    const timer = setTimeout(async () => {
      try {
        const input = JSON.parse(text) as Input<'formats.test'>['format'];
        const result = await call('formats.test', { format: input, file: handle });
        if (isCurrent) setTested({ result, problem: null });
      } catch (error) {
        if (isCurrent) setTested({ result: null, problem: toProblem(error) });
      }
    }, pauseMs);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text, handle]);
  return text === null || handle === null ? { result: null, problem: null } : tested;
}
