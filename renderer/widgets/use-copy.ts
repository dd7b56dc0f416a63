import { useCallback, useEffect, useState } from 'react';

const shownMs = 1500;

/** What became of the last copy: nothing yet, done, or refused by the system. */
export type CopyState = 'idle' | 'copied' | 'refused';

/** Copies text to the clipboard and says for a moment whether it worked. */
export function useCopy(): { readonly state: CopyState; readonly copy: (text: string) => void } {
  const [state, setState] = useState<CopyState>('idle');
  useEffect(() => {
    if (state === 'idle') return undefined;
    const timer = setTimeout(() => setState('idle'), shownMs);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = useCallback((text: string) => {
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('refused'),
    );
  }, []);
  return { state, copy };
}
