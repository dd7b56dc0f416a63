import { Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { FlashFootprint } from '../../../shared/domain/bench.ts';
import { footprintText } from '../../../shared/domain/footprint-text.ts';
import { type Problem, toProblem } from '../../../shared/domain/problem.ts';
import { call } from '../../rpc/client.ts';
import { hexText } from '../../widgets/format-text.ts';

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
      {footprintText(footprint, hexText)}
    </Text>
  );
}
