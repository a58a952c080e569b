import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Graph } from './graph.js';
import { toHalf } from './half.js';
import { encodeModel, quantize } from './onnx.js';
import { ModelProtoSchema } from './onnx_pb.js';

/** The number that 16 bits of binary16 stand for, by the definition. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

describe('toHalf', () => {
  it('keeps every number that has 16 bits', () => {
    const wrong = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => {
      const value = fromHalf(bits);
      return Number.isNaN(value) ? !Number.isNaN(fromHalf(toHalf(value))) : toHalf(value) !== bits;
    });
    expect(wrong).toEqual([]);
  });

  it('takes the nearest, of two equally near the even one', () => {
    const between = fc.record({
      bits: fc.integer({ min: 0, max: 0x7bfe }),
      share: fc.constantFrom(0.25, 0.5, 0.75),
    });
    fc.assert(
      fc.property(between, ({ bits, share }) => {
        const [low, high] = [fromHalf(bits), fromHalf(bits + 1)];
        const expected = share < 0.5 ? bits : share > 0.5 ? bits + 1 : bits + (bits & 1);
        expect(toHalf(low + share * (high - low))).toBe(expected);
        expect(toHalf(-(low + share * (high - low)))).toBe(expected | 0x8000);
      }),
    );
    expect([65519.9, 65520].map((value) => fromHalf(toHalf(value)))).toEqual([
      65504,
      Number.POSITIVE_INFINITY,
    ]);
  });
});

describe('quantize', () => {
  it('is off by half a step of its row at most', () => {
    const rows = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 5 }), (matrix) => {
        const { values, scales } = quantize(Float32Array.from(matrix.flat()), matrix.length);
        matrix.flat().forEach((value, i) => {
          const scale = scales[Math.floor(i / 4)];
          expect(Math.abs(values[i] * scale - value)).toBeLessThanOrEqual(0.5001 * scale);
        });
      }),
    );
  });

  it('keeps a row of zeros, and makes one of what is next to nothing', () => {
    expect([...quantize(new Float32Array(4), 2).values]).toEqual([0, 0, 0, 0]);
    expect([...quantize(Float32Array.of(190 * 2 ** -149, 0), 1).values]).toEqual([0, 0]);
  });
});

describe('encodeModel', () => {
  it('writes what the graph says, by the official schema', () => {
    const graph = new Graph();
    const pixels = graph.input('pixels', 'uint8', [2, 3, 1]);
    const weight = graph.constant([1, -2], [2], 'weight');
    graph.output(
      'sum',
      graph.apply('ReduceSum', [graph.apply('Mul', [pixels, weight])], { axes: [1, 2], keepdims: 0 }),
      [],
    );
    const model = fromBinary(ModelProtoSchema, encodeModel(graph, { precision: 'half', version: '1.2.3' }));
    expect(model).toMatchObject({ irVersion: 8n, producerName: 'featmatch', producerVersion: '1.2.3' });
    expect(model.opsetImport).toMatchObject([{ domain: '', version: 17n }]);
    expect(model.graph?.input[0]).toMatchObject({
      name: 'pixels',
      type: { value: { value: { elemType: 2 } } },
    });
    expect(model.graph?.input[0].type?.value.value).toMatchObject({
      shape: { dim: [{ value: { value: 'N' } }, ...[2n, 3n, 1n].map((value) => ({ value: { value } }))] },
    });
    expect(model.graph?.initializer).toMatchObject([{ dims: [2n], dataType: 10 }]);
    expect(model.graph?.node.map(({ opType }) => opType)).toEqual(['Cast', 'Mul', 'ReduceSum', 'Identity']);
    expect(model.graph?.node[2].attribute).toMatchObject([
      { name: 'axes', type: 7, ints: [1n, 2n] },
      { name: 'keepdims', type: 2, i: 0n },
    ]);
  });
});
