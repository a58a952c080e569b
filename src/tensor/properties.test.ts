/** Laws that hold for any shapes and numbers. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectNumbers, indicesOf } from '../../test/support/tensors.js';
import { arange, concatenate, oneHot, type Tensor, tensor, tidy, zeros } from './index.js';

const length = fc.integer({ min: 1, max: 4 });
const shape = fc.array(length, { maxLength: 4 });
const value = fc.double({ min: -100, max: 100, noNaN: true }).map((number) => number + 0); // without −0

const sizeOf = (lengths: readonly number[]) => lengths.reduce((product, each) => product * each, 1);

/** A float64 tensor of the given shape and its numbers. */
const filled = (lengths: readonly number[]) =>
  fc
    .array(value, { minLength: sizeOf(lengths), maxLength: sizeOf(lengths) })
    .map((numbers) => ({ numbers, shape: lengths }));

const anyTensor = shape.chain(filled);

/** A shape and one that broadcasts to it: trailing dimensions, some of them 1. */
const broadcastable = shape.chain((whole) =>
  fc.record({
    whole: fc.constant(whole),
    part: fc
      .integer({ min: 0, max: whole.length })
      .chain((from) =>
        fc
          .array(fc.boolean(), { minLength: whole.length - from, maxLength: whole.length - from })
          .map((ones) => whole.slice(from).map((each, i) => (ones[i] ? 1 : each))),
      ),
  }),
);

const build = (drawn: { numbers: number[]; shape: readonly number[] }) =>
  tensor(drawn.numbers, drawn.shape, 'float64');

/** Holds for 100 draws, each in its own scope. */
function always<T>(arbitrary: fc.Arbitrary<T>, law: (drawn: T) => void): void {
  fc.assert(fc.property(arbitrary, (drawn) => tidy(() => void law(drawn))));
}

/** Row-major position → where the element stands in a tensor that broadcasts to `whole`. */
function broadcastPosition(position: number, whole: readonly number[], part: readonly number[]): number {
  const indices = indicesOf(position, whole).slice(whole.length - part.length);
  return part.reduce((sum, each, i) => sum * each + (each === 1 ? 0 : indices[i]), 0);
}

const operations = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
} as const;

test.each(['add', 'sub', 'mul', 'div'] as const)('broadcast %s equals a loop over the elements', (name) => {
  const pair = broadcastable.chain(({ whole, part }) => fc.tuple(filled(whole), filled(part)));
  always(pair, ([a, b]) => {
    const expected = a.numbers.map((number, position) =>
      operations[name](number, b.numbers[broadcastPosition(position, a.shape, b.shape)]),
    );
    const result = build(a)[name](build(b));
    expect(result.shape).toEqual(a.shape);
    expectNumbers(result.numbers(), expected, { shape: a.shape, tolerance: 1e-12 });
  });
});

test('a permutation and its inverse give the tensor back', () => {
  const permuted = anyTensor.chain((drawn) =>
    fc.record({
      drawn: fc.constant(drawn),
      dims: fc.shuffledSubarray(
        drawn.shape.map((_, dim) => dim),
        { minLength: drawn.shape.length },
      ),
    }),
  );
  always(permuted, ({ drawn, dims }) => {
    const inverse = dims.map((_, dim) => dims.indexOf(dim));
    const there = build(drawn).permute(...dims);
    expect(there.shape).toEqual(dims.map((dim) => drawn.shape[dim]));
    expect(there.permute(...inverse).numbers()).toEqual(drawn.numbers);
    // through a copy in the permuted order, too
    const copied = there.reshape(-1).reshape(...there.shape);
    expect(copied.permute(...inverse).numbers()).toEqual(drawn.numbers);
  });
});

test('parts of a split join to the whole', () => {
  const cut = fc.tuple(
    fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
    length,
    length,
  );
  always(cut, ([lengths, before, after]) => {
    const total = lengths.reduce((sum, each) => sum + each, 0);
    const whole = arange(before * total * after).reshape(before, total, after);
    const joined = concatenate(whole.split(lengths, 1), 1);
    expect(joined.shape).toEqual(whole.shape);
    expect(joined.numbers()).toEqual(whole.numbers());
  });
});

test('sums over the dimensions one by one equal the sum of all', () => {
  always(anyTensor, (drawn) => {
    let rest: Tensor = build(drawn);
    while (rest.shape.length > 0) rest = rest.sum([-1]);
    const expected = drawn.numbers.reduce((sum, number) => sum + number, 0);
    expectNumbers([rest.item(), build(drawn).sum().item()], [expected, expected], { tolerance: 1e-9 });
  });
});

test('a softmax is positive, sums to 1 and does not change when a constant is added', () => {
  always(fc.tuple(fc.array(value, { minLength: 1, maxLength: 6 }), value), ([numbers, constant]) => {
    const logits = tensor(numbers, [numbers.length], 'float64');
    const probabilities = logits.softmax(0).numbers();
    expect(Math.min(...probabilities)).toBeGreaterThanOrEqual(0);
    expectNumbers([probabilities.reduce((sum, each) => sum + each, 0)], [1], { tolerance: 1e-12 });
    expectNumbers(logits.add(constant).softmax(0).numbers(), probabilities, { tolerance: 1e-9 });
    expectNumbers(logits.logSoftmax(0).exp().numbers(), probabilities, { tolerance: 1e-12 });
  });
});

test('adding rows by index equals multiplying with the one-hot matrix', () => {
  const indices = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 8 });
  always(fc.tuple(indices, length), ([rows, width]) => {
    const at = tensor(rows, [rows.length], 'int64');
    const source = arange(rows.length * width)
      .to('float32')
      .reshape(rows.length, width);
    const added = zeros([5, width]).indexAdd(0, at, source);
    expect(added.numbers()).toEqual(oneHot(at, 5).transpose(0, 1).matmul(source).numbers());
  });
});

test('what topk finds are the first of the sorted numbers', () => {
  always(fc.array(value, { minLength: 1, maxLength: 8 }), (numbers) => {
    const all = tensor(numbers, [numbers.length], 'float64');
    const { values, indices } = all.topk(numbers.length);
    // + 0 makes one zero of −0 and 0, between which there is no order
    const found = values.numbers().map((number) => number + 0);
    expect(found).toEqual(numbers.toSorted((a, b) => b - a));
    expect(all.gather(0, indices).equals(values)).toBe(true);
    expect(all.amax(0).item() + 0).toBe(found[0]);
  });
});

test('any layout reads as the same numbers', () => {
  const images = fc.tuple(length, length, length, length).chain(filled);
  always(images, (drawn) => {
    const channelsLast = build(drawn).contiguous('channels-last');
    expect(channelsLast.numbers()).toEqual(drawn.numbers);
    expect(channelsLast.contiguous().numbers()).toEqual(drawn.numbers);
  });
});
