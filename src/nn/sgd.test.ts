import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers, tensorOf } from '../../test/support/tensors.js';
import { type DType, liveTensors, setThreads, type Tensor, tidy } from '../tensor/index.js';
import { parameter } from './initialize.js';
import { Sgd, type SgdOptions } from './sgd.js';

beforeAll(() => setThreads(1));

const START = [1, -2, 0.5];
const TARGET = [0.3, 0.1, -0.7];
const STIFFNESS = [1, 2, 3];
const STEPS = 4;
const learningRateAt = (step: number) => 0.1 / (1 + step);

const newParameter = (dtype: DType = 'float64') => parameter(tensorOf(START, dtype));

/** Σ stiffness · (θ − target)², whose gradient is 2 · stiffness · (θ − target). */
function addGradient(parameter: Tensor): void {
  const distance = parameter.sub(tensorOf(TARGET, parameter.dtype));
  distance.mul(distance).mul(tensorOf(STIFFNESS, parameter.dtype)).sum().backward();
}

function descend(parameters: ReadonlyMap<string, Tensor>, optimizer: Sgd, from = 0, to = STEPS): void {
  for (let step = from; step < to; step++) {
    optimizer.learningRate = learningRateAt(step);
    tidy(() => {
      for (const each of parameters.values()) addGradient(each);
    });
    optimizer.step();
  }
}

function descended(options: SgdOptions, dtype?: DType): number[] {
  const parameters = new Map([['theta', newParameter(dtype)]]);
  descend(parameters, new Sgd(parameters, options));
  return parameters.get('theta')?.numbers() ?? [];
}

/** The recurrence of the documentation, on one number. */
function byHand({ momentum, nesterov, weightDecay }: SgdOptions): number[] {
  return START.map((start, i) => {
    let theta = start;
    let velocity = 0;
    for (let step = 0; step < STEPS; step++) {
      const direction = 2 * STIFFNESS[i] * (theta - TARGET[i]) + weightDecay * theta;
      velocity = momentum * velocity + direction;
      theta -= learningRateAt(step) * (nesterov ? direction + momentum * velocity : velocity);
    }
    return theta;
  });
}

describe('Sgd', () => {
  // torch.optim.SGD of PyTorch 1.13, float64, the same four steps:
  //   p = torch.tensor([1., -2., .5], requires_grad=True); t = torch.tensor([.3, .1, -.7])
  //   o = torch.optim.SGD([p], lr=.1, momentum=…, nesterov=…, weight_decay=…)
  //   for step in range(4):
  //       o.param_groups[0]['lr'] = .1 / (1 + step); o.zero_grad()
  //       ((p - t) ** 2 * torch.tensor([1., 2., 3.])).sum().backward(); o.step()
  //   p.tolist()
  it.each([
    {
      options: { momentum: 0, nesterov: false, weightDecay: 0 },
      expected: [0.74688, -0.68624, -0.47152],
    },
    {
      options: { momentum: 0.9, nesterov: false, weightDecay: 0 },
      expected: [0.55515, 0.26065000000000027, -1.1216799999999998],
    },
    {
      options: { momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
      expected: [0.43014949738799374, 0.4985625432349118, -1.0223655454081337],
    },
    {
      options: { momentum: 0, nesterov: false, weightDecay: 0.1 },
      expected: [0.7307391312499999, -0.6647755025, -0.47101724062499994],
    },
  ])("takes PyTorch's steps: $options", ({ options, expected }) => {
    expectNumbers(descended(options), expected, { tolerance: 1e-12 });
    expectNumbers(descended(options, 'float32'), expected, { tolerance: 1e-6 });
  });

  it('follows its recurrence for all options', () => {
    const options = fc.record({
      momentum: fc.double({ min: 0, max: 0.99, noNaN: true }),
      nesterov: fc.boolean(),
      weightDecay: fc.double({ min: 0, max: 0.5, noNaN: true }),
    });
    fc.assert(
      fc.property(options, (given) => {
        expectNumbers(descended(given), byHand(given), { tolerance: 1e-10 });
        expectNumbers(descended(given, 'float32'), byHand(given), { tolerance: 1e-5 });
      }),
      { numRuns: 30 },
    );
  });

  it('is plain descent with Nesterov where there is no momentum', () => {
    const options = { momentum: 0, weightDecay: 0.01 };
    expect(descended({ ...options, nesterov: true })).toEqual(descended({ ...options, nesterov: false }));
  });

  it('leaves a parameter without a gradient alone, weight decay and momentum included', () => {
    const learning = newParameter();
    const idle = newParameter();
    const parameters = new Map([
      ['learning', learning],
      ['idle', idle],
    ]);
    const optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: true, weightDecay: 0.1 });
    descend(new Map([['learning', learning]]), optimizer);
    expect(idle.numbers()).toEqual(START);
    expect(learning.numbers()).not.toEqual(START);
    expect(optimizer.state().get('idle')?.numbers()).toEqual([0, 0, 0]);
  });

  it('does nothing where no parameter has a gradient', () => {
    const parameters = new Map([['theta', newParameter()]]);
    const optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: false, weightDecay: 0.1 });
    optimizer.learningRate = 1;
    optimizer.step();
    expect(parameters.get('theta')?.numbers()).toEqual(START);
  });

  it('forgets the gradients that it has used, and leaves the parameters leaves', () => {
    const parameters = new Map([['theta', newParameter()]]);
    const optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: true, weightDecay: 0.1 });
    descend(parameters, optimizer, 0, 1);
    expect(parameters.get('theta')?.grad).toBeNull();
    descend(parameters, optimizer, 1, 2);
    expect(parameters.get('theta')?.requiresGrad).toBe(true);
  });

  it('makes no tensors that stay', () => {
    const parameters = new Map([
      ['theta', newParameter()],
      ['other', newParameter()],
    ]);
    const optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: true, weightDecay: 0.1 });
    tidy(() => descend(parameters, optimizer));
    const before = liveTensors();
    tidy(() => descend(parameters, optimizer));
    expect(liveTensors()).toBe(before);
  });

  it('continues from saved parameters and velocities bit for bit', () => {
    const options = { momentum: 0.9, nesterov: true, weightDecay: 0.01 };
    const parameters = new Map([['theta', newParameter()]]);
    const optimizer = new Sgd(parameters, options);
    descend(parameters, optimizer, 0, 2);
    const copied = new Map([['theta', parameter((parameters.get('theta') as Tensor).detach().clone())]]);
    const continued = new Sgd(copied, options);
    continued.load(new Map([...optimizer.state()].map(([name, velocity]) => [name, velocity.clone()])));
    descend(parameters, optimizer, 2, 4);
    descend(copied, continued, 2, 4);
    expect(copied.get('theta')?.numbers()).toEqual(parameters.get('theta')?.numbers());
  });

  it('names the parameter whose velocity is missing', () => {
    const parameters = new Map([['theta', newParameter()]]);
    const optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: false, weightDecay: 0 });
    expect(() => optimizer.load(new Map())).toThrow('the saved optimizer state has no velocity of theta');
  });

  it('has no velocities without momentum', () => {
    const optimizer = new Sgd(new Map([['theta', newParameter()]]), {
      momentum: 0,
      nesterov: false,
      weightDecay: 0,
    });
    expect(optimizer.state().size).toBe(0);
  });
});
