import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../errors.js';
import {
  emptyCache,
  engineInformation,
  full,
  Generator,
  liveTensors,
  memoryStatistics,
  ones,
  setCacheLimit,
  setDevice,
  setPrecision,
  setThreads,
  tidy,
  zeros,
} from './index.js';
import { callOperator } from './operator.js';

describe('the engine', () => {
  test('says what it is', () => {
    const information = engineInformation();
    expect(information.version).toMatch(/^\d+\.\d+/);
    expect(information.threads).toBeGreaterThanOrEqual(1);
    expect(information.cpuCapability).toMatch(/^(AVX2|AVX512|DEFAULT|NO|VSX|ZVECTOR|SVE)/);
    expect(information.cuda).toBeTypeOf('boolean');
    expect(information.oneDnn).toBeTypeOf('boolean');
  });

  // libgomp tells its settings when it is loaded, which a process does once.
  test.each([
    [{}, '30000'],
    [{ GOMP_SPINCOUNT: '77' }, '77'],
    [{ OMP_WAIT_POLICY: 'passive' }, '0'],
  ])('lets threads sleep soon, unless told otherwise: %o', (variables, spins) => {
    const index = new URL('../../dist/tensor/index.js', import.meta.url).href;
    const { GOMP_SPINCOUNT: _, OMP_WAIT_POLICY: __, ...env } = process.env;
    const { stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `(await import('${index}')).engineInformation()`],
      { env: { ...env, ...variables, OMP_DISPLAY_ENV: 'verbose' }, encoding: 'utf8' },
    );
    expect(stderr).toMatch(new RegExp(`GOMP_SPINCOUNT = '${spins}'`));
  });

  describe('a device', () => {
    test.runIf(!engineInformation().cuda)(
      'that libtorch has not is refused, and mixed precision on the CPU',
      () => {
        for (const device of ['cuda', 'cuda:1']) {
          expect(() => setDevice(device)).toThrow(InputError);
          expect(() => setDevice(device)).toThrow(
            `device ${device} asks for a GPU, but this libtorch has no CUDA`,
          );
        }
        expect(() => setPrecision('bfloat16')).toThrow(InputError);
        expect(() => setPrecision('bfloat16')).toThrow('precision bfloat16 needs a GPU');
        setDevice('cpu');
        setPrecision('float32');
      },
    );

    test('of another form is refused', () => {
      expect(() => setDevice('gpu')).toThrow(RangeError);
    });
  });

  describe('setThreads', () => {
    const before = engineInformation().threads;
    afterAll(() => setThreads(before));

    test('sets how many threads an operator may use; by default all processors', () => {
      setThreads(1);
      expect(engineInformation().threads).toBe(1);
      setThreads();
      expect(engineInformation().threads).toBe(availableParallelism());
    });

    test.each([0, -1, 1.5, Number.NaN, Infinity, 2 ** 32])('refuses %d', (count) => {
      expect(() => setThreads(count)).toThrow(
        `the number of threads is an integer from 1 to 1024, not ${count}`,
      );
    });

    test('gives the same numbers with any number of threads', () => {
      const sum = () =>
        tidy(() =>
          full([2 ** 16], 0.1)
            .add(1)
            .exp()
            .narrow(0, 0, 1000)
            .numbers(),
        );
      setThreads(1);
      const expected = sum();
      setThreads(2);
      expect(sum()).toEqual(expected);
    });
  });
});

describe('the caching allocator', () => {
  const limit = memoryStatistics().limit;
  beforeEach(emptyCache);
  afterEach(() => setCacheLimit(limit));

  /** How `allocated` and `cached` change while `body` runs. */
  function changes(body: () => void): { allocated: number; cached: number } {
    const before = memoryStatistics();
    body();
    const after = memoryStatistics();
    return { allocated: after.allocated - before.allocated, cached: after.cached - before.cached };
  }

  test.each([1, 16, 1000, 4096, 100_000, 2 ** 20, 3_000_000])(
    'wastes at most an eighth of a block of %d numbers, besides its header',
    (count) => {
      const bytes = 4 * count;
      tidy(() => {
        const { allocated } = changes(() => void zeros([count]));
        expect(allocated).toBeGreaterThanOrEqual(bytes);
        expect(allocated).toBeLessThanOrEqual((bytes + 64) * 1.125 + 64);
      });
    },
  );

  test('keeps a freed block and hands it out again', () => {
    const first = zeros([2 ** 16]);
    const freed = changes(() => first.dispose());
    expect(freed.cached).toBe(-freed.allocated);
    expect(freed.cached).toBeGreaterThanOrEqual(2 ** 18);
    tidy(() => {
      const reused = changes(() => void zeros([2 ** 16]));
      expect(reused).toEqual({ allocated: freed.cached, cached: -freed.cached });
    });
  });

  test('hands a block out again for a slightly different size of the same class', () => {
    zeros([2 ** 16 - 20]).dispose();
    tidy(() => expect(changes(() => void zeros([2 ** 16 - 30])).cached).toBeLessThan(0));
  });

  test('takes fresh memory for another size class', () => {
    zeros([2 ** 16]).dispose();
    tidy(() => expect(changes(() => void zeros([2 ** 17])).cached).toBe(0));
  });

  test('never hands out one block twice', () => {
    tidy(() => {
      zeros([1000]).dispose();
      const [first, second] = [full([1000], 1), full([1000], 2)];
      expect([first.sum().item(), second.sum().item()]).toEqual([1000, 2000]);
    });
  });

  test('does not grow over many steps of the same sizes', () => {
    const step = () =>
      tidy(
        () =>
          void ones([1000])
            .add(1)
            .matmul(ones([1000, 3])),
      );
    step();
    const { allocated, cached } = changes(() => {
      for (let i = 0; i < 100; i++) step();
    });
    expect({ allocated, cached }).toEqual({ allocated: 0, cached: 0 });
  });

  test('gives its cache back on request', () => {
    zeros([2 ** 16]).dispose();
    expect(memoryStatistics().cached).toBeGreaterThan(0);
    emptyCache();
    expect(memoryStatistics().cached).toBe(0);
  });

  test('keeps no more than its limit', () => {
    setCacheLimit(2 ** 20);
    expect(memoryStatistics().limit).toBe(2 ** 20);
    const tensors = Array.from({ length: 8 }, () => zeros([2 ** 16])); // a quarter of the limit each, and a header
    for (const tensor of tensors) tensor.dispose();
    const { cached } = memoryStatistics();
    expect(cached).toBeGreaterThan(2 ** 19);
    expect(cached).toBeLessThanOrEqual(2 ** 20);
  });

  test('keeps nothing with a limit of 0, and drops what it had', () => {
    zeros([2 ** 16]).dispose();
    setCacheLimit(0);
    expect(memoryStatistics().cached).toBe(0);
    zeros([2 ** 16]).dispose();
    expect(memoryStatistics().cached).toBe(0);
  });

  test.each([-1, 0.5, Number.NaN, Infinity])('refuses a limit of %d', (bytes) => {
    expect(() => setCacheLimit(bytes)).toThrow(
      `the limit of the cache is a number of bytes, 0 or more, not ${bytes}`,
    );
    expect(memoryStatistics().limit).toBe(limit);
  });

  test('remembers its peak until that is reset', () => {
    memoryStatistics({ resetPeak: true });
    const { allocated } = memoryStatistics();
    zeros([2 ** 20]).dispose();
    const { peak } = memoryStatistics({ resetPeak: true });
    expect(peak).toBeGreaterThanOrEqual(allocated + 2 ** 22);
    expect(memoryStatistics().peak).toBe(allocated);
  });

  test('empties its cache and says so clearly when there is not enough memory', () => {
    zeros([2 ** 16]).dispose();
    const before = { live: liveTensors(), allocated: memoryStatistics().allocated };
    const petabyte = 2 ** 50;
    expect(() => zeros([petabyte / 4])).toThrow(
      `aten::full([${petabyte / 4}], 0, 6, none, none, none): out of memory: ${petabyte} bytes for a tensor`,
    );
    expect(() =>
      zeros([1])
        .expand(2 ** 48)
        .add(1),
    ).toThrow('out of memory');
    expect(memoryStatistics().cached).toBeLessThan(2 ** 18);
    expect(memoryStatistics().allocated).toBeLessThanOrEqual(before.allocated + 256); // zeros([1]) waits for collection
    expect(liveTensors()).toBeLessThanOrEqual(before.live + 2);
    tidy(() => expect(ones([2]).sum().item()).toBe(2)); // and work goes on
  });

  test('refuses sizes that no computer counts', () => {
    expect(() => zeros([2 ** 40, 2 ** 40])).toThrow(/^aten::full\(\[1099511627776, 1099511627776\]/);
  });
});

describe('an error of an operator', () => {
  const failure = (run: () => unknown): Error => {
    try {
      run();
    } catch (error) {
      if (error instanceof Error) return error;
    }
    throw new Error('nothing was thrown');
  };

  test('names the operator, the shapes and the reason, without a C++ stack', () => {
    tidy(() => {
      const { message } = failure(() => ones([2, 3]).matmul(ones([4, 5], { dtype: 'float64' })));
      expect(message).toMatch(/^aten::matmul\(float32\[2, 3\], float64\[4, 5\]\): ./);
      expect(message).not.toMatch(/frame #|Exception raised|\.cpp/);
    });
  });

  test('has a JavaScript stack that leads to the caller', () => {
    tidy(() => {
      expect(failure(() => ones([2]).add(ones([3]))).stack).toContain('engine.test.ts');
      expect(failure(() => ones([2]).item()).stack).toContain('engine.test.ts');
      expect(failure(() => ones([2]).backward()).stack).toContain('engine.test.ts');
    });
  });

  test('names an operator that does not exist', () => {
    expect(() => callOperator('nothing', [])).toThrow('aten::nothing');
    expect(() => callOperator('add.Nothing', [])).toThrow('aten::add.Nothing');
    expect(() => callOperator('featmatch::nothing', [])).toThrow('featmatch::nothing');
  });

  test('says which argument is missing', () => {
    tidy(() => {
      expect(() => callOperator('matmul', [ones([1])])).toThrow("aten::matmul needs its argument 'other'");
      expect(() => callOperator('matmul', [])).toThrow("aten::matmul needs its argument 'self'");
    });
  });

  test('says how many arguments an operator takes', () => {
    tidy(() => {
      const one = ones([1]);
      expect(() => callOperator('neg', [one, one])).toThrow('aten::neg takes 1 arguments, not 2');
    });
  });

  test('says which argument has the wrong type', () => {
    tidy(() => {
      const one = ones([1]);
      const generator = new Generator(1);
      const refused = [
        [() => callOperator('neg', [5]), "aten::neg: argument 'self' is not a tensor"],
        [() => callOperator('neg', [generator]), "aten::neg: argument 'self' is not a tensor"],
        [() => callOperator('mul.Scalar', [one, 'x']), "aten::mul: argument 'other' is not a number"],
        [() => callOperator('cat', [one]), "aten::cat: argument 'tensors' is not an array"],
        [() => callOperator('cat', [[one, 1]]), "aten::cat: argument 'tensors'[1] is not a tensor"],
        [
          () => callOperator('unsqueeze', [one, 0.5]),
          "aten::unsqueeze: argument 'dim' is not an integer: 0.5",
        ],
        [() => callOperator('reshape', [one, ['x']]), "aten::reshape: argument 'shape'[0] is not a number"],
        [
          () => callOperator('sum.dim_IntList', [one, [0], 1]),
          "aten::sum: argument 'keepdim' is not a boolean",
        ],
        [
          () => callOperator('uniform_', [one, 0, 1, one]),
          "aten::uniform_: argument 'generator' is not a generator",
        ],
      ] as const;
      for (const [run, message] of refused) expect(run).toThrow(message);
    });
  });
});
