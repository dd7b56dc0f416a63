import type { Answer } from '../../shared/contract/contract.ts';
import { problem } from '../../shared/domain/problem.ts';

const maxEnvelopeChars = 1024 * 1024;

interface Sender {
  readonly frame: { readonly parent: unknown; readonly url: string } | null;
  readonly contentsId: number;
}

/** True only for the live main frame of the studio's own window showing the studio's own origin. */
export function isTrustedSender(sender: Sender, windowContentsId: number, origin: string): boolean {
  const { frame } = sender;
  if (!frame || frame.parent !== null || sender.contentsId !== windowContentsId) return false;
  return frame.url === origin || frame.url.startsWith(`${origin}/`);
}

/** Checks form and size of a call before anything looks at its content. */
export function parseEnvelope(raw: unknown): Answer<{ method: string; input: unknown }> {
  const bad = (detail: string): Answer<never> => ({
    ok: false,
    error: problem('bad-request', 'The request is not valid', detail, 'Restart Slipway.', 'usage')
      .problem,
  });
  if (typeof raw !== 'object' || raw === null) return bad('It is not an object.');
  const { method, input } = raw as { method?: unknown; input?: unknown };
  if (typeof method !== 'string') return bad('It names no method.');
  let text: string | undefined;
  try {
    text = JSON.stringify(input ?? null);
  } catch {
    return bad('Its input is not plain data.');
  }
  if (text === undefined || text.length > maxEnvelopeChars)
    return bad(`Its input is larger than ${maxEnvelopeChars} characters, or no data.`);
  return { ok: true, value: { method, input: JSON.parse(text) as unknown } };
}
