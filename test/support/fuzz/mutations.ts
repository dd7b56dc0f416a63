import fc from 'fast-check';

/** Most bytes that a mutation may grow its seed to. */
const mostBytes = 32 * 1024;

/** Values on which parsers stumble: signs, limits, and one more or less. */
const interesting = [
  0, 1, 2, 3, 7, 8, 0x10, 0x1f, 0x20, 0x2f, 0x30, 0x39, 0x3a, 0x46, 0x5c, 0x7f, 0x80, 0xfe, 0xff,
  0x100, 0x1ff, 0x200, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x1_0000, 0xff_ffff, 0x7fff_ffff,
  0x8000_0000, 0xffff_fff0, 0xffff_fffe, 0xffff_ffff,
];

/** Offsets: headers more often than the rest. */
const place = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 127 }) },
  { weight: 3, arbitrary: fc.nat({ max: 1 << 20 }) },
  { weight: 1, arbitrary: fc.nat({ max: 127 }).map((back) => -1 - back) },
);
const value = fc.oneof(fc.constantFrom(...interesting), fc.nat({ max: 0xffff_ffff }));
const length = fc.oneof(fc.nat({ max: 64 }), fc.constantFrom(511, 512, 513, 4096));

type Mutation =
  | { readonly kind: 'byte' | 'bit' | 'digit'; readonly at: number; readonly value: number }
  | {
      readonly kind: 'field';
      readonly at: number;
      readonly value: number;
      readonly sizeBytes: 2 | 4 | 8;
      readonly little: boolean;
    }
  | {
      readonly kind: 'size';
      readonly at: number;
      readonly change: number;
      readonly little: boolean;
    }
  | { readonly kind: 'cut' | 'delete'; readonly at: number; readonly length: number }
  | {
      readonly kind: 'repeat';
      readonly at: number;
      readonly length: number;
      readonly times: number;
    }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'splice'; readonly at: number; readonly other: number; readonly from: number };

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('byte' as const), at: place, value }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('bit' as const), at: place, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('digit' as const), at: place, value }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('field' as const),
      at: place,
      value,
      sizeBytes: fc.constantFrom(2 as const, 4 as const, 8 as const),
      little: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('size' as const),
      at: place,
      change: fc.integer({ min: -2, max: 2 }),
      little: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: place, length }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), at: place, length }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('repeat' as const),
      at: place,
      length,
      times: fc.oneof(fc.nat({ max: 3 }), fc.constantFrom(17, 257, 4000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      at: place,
      bytes: fc.uint8Array({ maxLength: 24 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('splice' as const),
      at: place,
      other: fc.nat({ max: 63 }),
      from: place,
    }),
  },
);

/** What one fuzz case is made of. */
export interface MutationPlan {
  readonly seed: number;
  readonly mutations: readonly Mutation[];
  /** Whether checksums are made right again, so that what lies behind them is reached. */
  readonly isRepaired: boolean;
}

/** Plans of one to six mutations. */
export const mutationPlans: fc.Arbitrary<MutationPlan> = fc.record({
  seed: fc.nat({ max: 63 }),
  mutations: fc.array(mutation, { minLength: 1, maxLength: 6 }),
  isRepaired: fc.boolean(),
});

/** The bytes of a plan over the seeds of a reader. */
export function mutate(
  plan: MutationPlan,
  seeds: readonly Uint8Array[],
  repair: ((bytes: Buffer) => Buffer) | undefined,
): Buffer {
  let bytes: Buffer = Buffer.from(seeds[plan.seed % seeds.length] ?? new Uint8Array());
  for (const step of plan.mutations) bytes = apply(step, bytes, seeds);
  return plan.isRepaired && repair !== undefined ? repair(bytes) : bytes;
}

function apply(step: Mutation, bytes: Buffer, seeds: readonly Uint8Array[]): Buffer {
  if (bytes.length === 0) return step.kind === 'insert' ? Buffer.from(step.bytes) : bytes;
  const at = ((step.at % bytes.length) + bytes.length) % bytes.length;
  switch (step.kind) {
    case 'byte':
      bytes[at] = step.value;
      return bytes;
    case 'bit':
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (step.value % 8));
      return bytes;
    case 'digit':
      bytes.write((step.value % 16).toString(16).toUpperCase(), at, 'latin1');
      return bytes;
    case 'field':
      return withField(bytes, at, step.value, step.sizeBytes, step.little);
    case 'size':
      return withField(bytes, at, bytes.length + step.change, 4, step.little);
    case 'cut':
      return bytes.subarray(0, at);
    case 'delete':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + step.length)]);
    case 'repeat': {
      const part = bytes.subarray(at, at + step.length);
      const room = Math.floor((mostBytes - bytes.length) / Math.max(1, part.length));
      const copies = Array.from({ length: Math.max(0, Math.min(step.times, room)) }, () => part);
      return Buffer.concat([bytes.subarray(0, at), ...copies, bytes.subarray(at)]);
    }
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), step.bytes, bytes.subarray(at)]);
    case 'splice': {
      const other = Buffer.from(seeds[step.other % seeds.length] ?? bytes);
      const from = ((step.from % other.length) + other.length) % other.length;
      return Buffer.concat([bytes.subarray(0, at), other.subarray(from)]).subarray(0, mostBytes);
    }
  }
}

function withField(
  bytes: Buffer,
  at: number,
  number: number,
  sizeBytes: 2 | 4 | 8,
  little: boolean,
): Buffer {
  const start = Math.min(at, bytes.length - sizeBytes);
  if (start < 0) return bytes;
  const field = Buffer.alloc(8);
  field.writeBigUInt64LE(BigInt(number < 0 ? 0 : number));
  const part = field.subarray(0, sizeBytes);
  bytes.set(little ? part : part.reverse(), start);
  return bytes;
}
