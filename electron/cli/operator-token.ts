import { problem } from '../../shared/domain/problem.ts';

/** The operator token that was given, else that of the environment. @throws ProblemError `no-token` */
export function operatorToken(given: string | undefined): string {
  const token = given ?? process.env.SLIPWAY_TOKEN;
  if (token) return token;
  throw problem(
    'no-token',
    'The operator token is missing',
    'Neither --token nor SLIPWAY_TOKEN is set.',
    'Use the token that cloud serve printed, or that of an account.',
    'usage',
  );
}
