import { describe, expect, test } from 'vitest';
import { unhandledRejections } from '../../test/support/rejections.js';
import { expectTensor } from '../../test/support/tensors.js';
import { concatenate, keep, liveTensors, noGrad, ones, type Tensor, tidy, zeros } from './index.js';

/** How many more tensors are alive after `body` than before. */
function survivors(body: () => void): number {
  const before = liveTensors();
  body();
  return liveTensors() - before;
}

describe('tidy', () => {
  test('frees what its body made', () => {
    const made: Tensor[] = [];
    tidy(() => {
      made.push(zeros([2]), zeros([2]).add(1));
      expect(made.some((tensor) => tensor.isDisposed)).toBe(false);
    });
    expect(made.map((tensor) => tensor.isDisposed)).toEqual([true, true]);
  });

  test('frees what operators that return several tensors made', () => {
    expect(survivors(() => tidy(() => void ones([4]).split([1, 3])[0].topk(1)))).toBe(0);
  });

  test('leaves tensors from outside alone', () => {
    const outside = ones([2]);
    tidy(() => void outside.add(1));
    expectTensor(outside, [1, 1]);
    expect(tidy(() => outside)).toBe(outside);
    expect(outside.isDisposed).toBe(false);
    outside.dispose();
  });

  test('returns what its body returns', () => {
    expect(tidy(() => 5)).toBe(5);
    expect(tidy(() => undefined)).toBeUndefined();
    expect(tidy(() => null)).toBeNull();
    expect(tidy(() => ones([1]).item())).toBe(1);
  });

  test('lets a returned tensor live, and frees the rest', () => {
    const before = liveTensors();
    const sum = tidy(() => ones([2]).add(ones([2])));
    expect(liveTensors()).toBe(before + 1);
    expectTensor(sum, [2, 2]);
    sum.dispose();
  });

  test('lets tensors in returned arrays, maps and plain objects live, however deep', () => {
    const result = tidy(() => ({
      array: [ones([1]), [ones([2])]],
      map: new Map([['key', { inner: ones([3]) }]]),
      nothing: [null, undefined, 'text', 1, Float32Array.of(1)],
    }));
    const tensors = [result.array[0], result.array[1], result.map.get('key')?.inner].flat() as Tensor[];
    expect(tensors.map((tensor) => tensor.shape)).toEqual([[1], [2], [3]]);
    for (const tensor of tensors) tensor.dispose();
  });

  test('does not look into objects of classes', () => {
    class Holder {
      readonly inside = ones([1]);
    }
    expect(tidy(() => new Holder()).inside.isDisposed).toBe(true);
  });

  test('lets a tensor that is returned twice live once', () => {
    const [first, second] = tidy(() => {
      const tensor = ones([1]);
      return [tensor, tensor];
    });
    expect(first).toBe(second);
    expect(survivors(() => first.dispose())).toBe(-1);
  });

  test('moves a returned tensor to the enclosing scope, which frees it', () => {
    let inner: Tensor | undefined;
    expect(
      survivors(() => {
        tidy(() => {
          inner = tidy(() => ones([2]).mul(3));
          expectTensor(inner, [3, 3]);
        });
      }),
    ).toBe(0);
    expect(inner?.isDisposed).toBe(true);
  });

  test('moves a tensor up through several scopes', () => {
    const result = tidy(() => tidy(() => tidy(() => ones([2])).add(1)).add(1));
    expectTensor(result, [3, 3]);
    result.dispose();
  });

  test('does not take over a tensor of an outer scope that an inner one returns', () => {
    tidy(() => {
      const outer = ones([1]);
      tidy(() => tidy(() => outer));
      tidy(() => void tidy(() => outer));
      expect(outer.isDisposed).toBe(false);
    });
  });

  test('keeps the values that a backward pass needs', () => {
    const parameter = ones([2]);
    parameter.requiresGrad = true;
    const loss = tidy(() => parameter.mul(3).pow(2).sum()); // its inputs are freed here
    loss.backward();
    expectTensor(parameter.grad!, [18, 18]);
  });

  test('frees everything when its body throws, and passes the error on', () => {
    const made: Tensor[] = [];
    const failure = new Error('in the middle');
    const run = () =>
      tidy(() => {
        made.push(ones([1]));
        tidy(() => {
          made.push(ones([1]));
          throw failure;
        });
      });
    expect(run).toThrow(failure);
    expect(made.map((tensor) => tensor.isDisposed)).toEqual([true, true]);
    // and the scopes are closed: what is made now belongs to none
    const after = ones([1]);
    expect(after.isDisposed).toBe(false);
    after.dispose();
  });

  test('frees everything when an operator in it fails', () => {
    const failing = () => tidy(() => ones([2]).add(ones([3])));
    expect(survivors(() => expect(failing).toThrow('aten::add'))).toBe(0);
  });

  test('holds the number of tensors constant over 1,000 steps', () => {
    const weight = ones([8, 8]);
    weight.requiresGrad = true;
    const step = () =>
      tidy(() => {
        const loss = ones([4, 8]).matmul(weight).relu().logSoftmax(1).mean();
        loss.backward();
        noGrad(() => weight.addInPlace(weight.grad!, -0.1));
        weight.clearGrad();
        return loss.item();
      });
    step();
    const before = liveTensors();
    for (let i = 0; i < 1000; i++) step();
    expect(liveTensors()).toBe(before);
    weight.dispose();
  });

  test('holds resident memory constant in a synchronous loop', () => {
    const step = () =>
      tidy(
        () =>
          void ones([2 ** 18])
            .add(1)
            .mul(2),
      ); // 3 MiB
    for (let i = 0; i < 100; i++) step();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 200; i++) step(); // 600 MiB, were they not freed
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(50);
  });
});

describe('keep', () => {
  test('takes a tensor out of its scope', () => {
    const kept = tidy(() => {
      const [alone, returned] = [tidy(() => keep(ones([2]))), tidy(() => keep(ones([1])))];
      expect(returned.isDisposed).toBe(false);
      returned.dispose();
      return alone;
    });
    expectTensor(kept, [1, 1]);
    kept.dispose();
    expect(kept.isDisposed).toBe(true);
  });

  test('also when the tensor is not returned, or the body throws', () => {
    let kept: Tensor | undefined;
    const run = () =>
      tidy(() => {
        kept = keep(ones([1]));
        throw new Error('later');
      });
    expect(run).toThrow('later');
    expect(kept?.isDisposed).toBe(false);
    kept?.dispose();
  });

  test('returns the tensor itself', () => {
    const tensor = ones([1]);
    expect(keep(tensor)).toBe(tensor);
    tensor.dispose();
  });
});

describe('dispose', () => {
  test('may be called twice, and before the scope ends', () => {
    expect(
      survivors(() => {
        tidy(() => {
          const tensor = ones([1]);
          tensor.dispose();
          tensor.dispose();
        });
        const unscoped = ones([1]);
        unscoped.dispose();
        unscoped.dispose();
      }),
    ).toBe(0);
  });

  test('of a returned tensor within its scope does no harm', () => {
    const returned = tidy(() => {
      const tensor = ones([1]);
      tensor.dispose();
      return tensor;
    });
    expect(returned.isDisposed).toBe(true);
  });
});

describe('a freed tensor', () => {
  const freed = ones([2]);
  freed.dispose();
  const why = 'was already freed: its tidy() scope has ended or dispose() was called';

  test('is named by operator and argument where it is used', () => {
    const living = ones([2]);
    expect(() => freed.add(living)).toThrow(`aten::add: argument 'self' ${why}`);
    expect(() => living.add(freed)).toThrow(`aten::add: argument 'other' ${why}`);
    expect(() => concatenate([living, freed])).toThrow(`aten::cat: argument 'tensors'[1] ${why}`);
    living.dispose();
  });

  test('stays freed when new tensors take its place', () => {
    tidy(() => {
      const others = Array.from({ length: 100 }, () => ones([2]));
      expect(freed.isDisposed).toBe(true);
      expect(() => freed.neg()).toThrow(why);
      freed.dispose(); // frees none of the others
      expect(others.some((tensor) => tensor.isDisposed)).toBe(false);
    });
  });

  test('cannot be read, described or differentiated', () => {
    expect(() => freed.data()).toThrow(why);
    expect(() => freed.numbers()).toThrow(why);
    expect(() => freed.item()).toThrow(why);
    expect(() => freed.shape).toThrow(why);
    expect(() => freed.dtype).toThrow(why);
    expect(() => freed.grad).toThrow(why);
    expect(() => freed.backward()).toThrow(why);
    expect(() => {
      freed.requiresGrad = true;
    }).toThrow(why);
  });
});

describe('an asynchronous body', () => {
  // The body goes on after the refusal and fails at its freed tensor: no unhandled rejection may come of that.
  const body = (failures: unknown[]) => async () => {
    const tensor = ones([1]);
    await undefined;
    try {
      return tensor.add(1);
    } catch (error) {
      failures.push(error);
      throw error;
    }
  };

  test('is refused, and its later failure is handled', async () => {
    const failures: unknown[] = [];
    const unhandled = await unhandledRejections(() => {
      const before = liveTensors();
      expect(() => tidy(body(failures))).toThrow(
        'tidy() takes a synchronous function: await before it or after it, not inside',
      );
      expect(liveTensors()).toBe(before);
    });
    expect(String(failures[0])).toContain("aten::add: argument 'self' was already freed");
    expect(unhandled).toEqual([]);
  });
});
