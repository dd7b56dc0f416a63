import { Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { FlashFootprint } from '../../../shared/domain/bench.ts';
import { type Problem, toProblem } from '../../../shared/domain/problem.ts';
import { byteText } from '../../../shared/domain/progress-text.ts';
import { call } from '../../rpc/client.ts';
import { hexText, pluralText } from '../../widgets/format-text.ts';

/** Says what flashing will write and erase, or why this image cannot be flashed. */
export function FootprintText(props: {
  readonly source: { readonly packageId: string } | { readonly file: string };
}) {
  const { source } = props;
  const [footprint, setFootprint] = useState<FlashFootprint | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let isOver = false;
    call('bench.footprint', source).then(
      (answer) => !isOver && setFootprint(answer),
      (error: unknown) => !isOver && setProblem(toProblem(error)),
    );
    return () => {
      isOver = true;
    };
    // The parent gives a new source a new key.
    // eslint-disable-next-line react/exhaustive-deps
  }, []);
  if (problem)
    return (
      <Text size="xs" c="red" role="alert">
        {problem.title}. {problem.detail}
      </Text>
    );
  if (!footprint) return null;
  return (
    <Text size="xs" c="dimmed" className="digits" data-testid="footprint">
      {footprintWords(footprint)}
    </Text>
  );
}

function footprintWords({ writeBytes, skippedBytes, erase }: FlashFootprint): string {
  const blank = skippedBytes > 0 ? ` and skips ${byteText(skippedBytes)} that are blank` : '';
  const writes = `Writes ${byteText(writeBytes)}${blank}.`;
  if (!erase) return `${writes} Erases whole pages, told apart once the chip has answered.`;
  const { pages, pageBytes, from, toExclusive, chip } = erase;
  return `${writes} Erases ${pluralText(pages, 'page')} of ${byteText(pageBytes)}, ${hexText(from)} to ${hexText(toExclusive - 1)}, on the ${chip}.`;
}
