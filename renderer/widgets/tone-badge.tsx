import { Badge } from '@mantine/core';
import {
  CircleCheck,
  CircleDashed,
  CircleDot,
  CircleHelp,
  CircleX,
  Info,
  LoaderCircle,
  type LucideIcon,
  TriangleAlert,
} from 'lucide-react';

/** How good or bad a state is; each tone has its own colour and its own icon. */
export type Tone = 'good' | 'busy' | 'todo' | 'info' | 'warn' | 'bad' | 'unknown' | 'neutral';

const looks: Record<Tone, { readonly color: string; readonly Icon: LucideIcon }> = {
  good: { color: 'green', Icon: CircleCheck },
  busy: { color: 'blue', Icon: LoaderCircle },
  todo: { color: 'blue', Icon: CircleDot },
  info: { color: 'gray', Icon: Info },
  warn: { color: 'orange', Icon: TriangleAlert },
  bad: { color: 'red', Icon: CircleX },
  unknown: { color: 'yellow', Icon: CircleHelp },
  neutral: { color: 'gray', Icon: CircleDashed },
};

/** A state as icon and word, never by colour alone. */
export function ToneBadge(props: {
  readonly tone: Tone;
  readonly word: string;
  readonly title?: string;
}) {
  const { color, Icon } = looks[props.tone];
  return (
    <Badge
      color={color}
      title={props.title}
      leftSection={<Icon size={12} aria-hidden />}
      style={{ flexShrink: 0, verticalAlign: 'middle' }}
    >
      {props.word}
    </Badge>
  );
}

/** The icon of a tone in its colour, for places where the word stands beside it. */
export function ToneIcon(props: { readonly tone: Tone; readonly size?: number }) {
  const { color, Icon } = looks[props.tone];
  return (
    <Icon
      size={props.size ?? 16}
      aria-hidden
      style={{ color: `var(--mantine-color-${color}-text)`, flexShrink: 0 }}
    />
  );
}
