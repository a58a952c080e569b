import { describe, expect, it } from 'vitest';
import { presets } from './presets.js';
import { publishedPresets } from './published-presets.js';
import { resolveConfig } from './resolve.js';
import type { AlgorithmConfig } from './schema.js';

/** The published settings: data, backbone, plan. Everything that they share is in the tests below. */
const TABLE = `
  setting              | data          | labels | backbone | pixels   | plan  | B  | K
  cifar10-250          | cifar-10      |    250 | WRN-28-2 | zca      | short | 64 | 8
  cifar10-1000         | cifar-10      |   1000 | WRN-28-2 | zca      | short | 64 | 8
  cifar10-4000         | cifar-10      |   4000 | WRN-28-2 | zca      | short | 64 | 8
  svhn-250             | svhn          |    250 | WRN-28-2 | standard | short | 64 | 8
  svhn-1000            | svhn          |   1000 | WRN-28-2 | standard | short | 64 | 8
  svhn-4000            | svhn          |   4000 | WRN-28-2 | standard | short | 64 | 8
  cifar100-4000        | cifar-100     |   4000 | CNN-13   | zca      | short | 64 | 8
  cifar100-10000       | cifar-100     |  10000 | CNN-13   | zca      | short | 64 | 8
  mini-imagenet-4000   | mini-imagenet |   4000 | ResNet-18 | standard | short | 64 | 8
  mini-imagenet-10000  | mini-imagenet |  10000 | ResNet-18 | standard | short | 64 | 8
  domainnet-0          | domainnet     |    5 % | ResNet-18 | standard | long  | 32 | 4
  domainnet-25         | domainnet     |    5 % | ResNet-18 | standard | long  | 32 | 4
  domainnet-50         | domainnet     |    5 % | ResNet-18 | standard | long  | 32 | 4
  domainnet-75         | domainnet     |    5 % | ResNet-18 | standard | long  | 32 | 4
`;

const PLANS = {
  short: { pretrain: 3000, cycle: 75_000, end: 30_000, ramp: 75_000, extract: 500, evaluate: 250 },
  long: { pretrain: 4000, cycle: 100_000, end: 40_000, ramp: 100_000, extract: 1000, evaluate: 500 },
} as const;

const rows = TABLE.trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([setting, data, labels, backbone, pixels, plan, labeledBatch, views]) => ({
    ...{ setting, data, labels, backbone, pixels },
    plan: PLANS[plan as keyof typeof PLANS],
    labeledBatch: Number(labeledBatch),
    views: Number(views),
  }));

function backboneOf(name: string, preActivation: 'full' | 'first-only') {
  if (name === 'CNN-13') return { name: 'cnn-13', batchNormMomentum: 0.1 };
  if (name === 'ResNet-18') return { name: 'resnet-18', batchNormMomentum: 0.1 };
  const wide = { name: 'wide-resnet', depth: 28, width: 2, strides: [1, 2, 2] };
  return { ...wide, batchNormMomentum: 0.001, preActivation };
}

const FAMILIES = ['reference', 'paper'] as const;

describe.each(rows)('the published setting $setting', (row) => {
  const { setting, plan } = row;

  it.each(FAMILIES)('has the data, network and plan of the table: %s', (family) => {
    const config = resolveConfig({ preset: `${family}-${setting}` });
    expect(config.data).toMatchObject({ name: row.data, normalization: row.pixels });
    if (row.labels !== '5 %') {
      expect(config.data).toMatchObject({ labels: Number(row.labels), validation: 0 });
    }
    expect(config.model).toMatchObject(
      backboneOf(row.backbone, family === 'reference' ? 'first-only' : 'full'),
    );
    expect(config.batch).toEqual({ labeled: row.labeledBatch, unlabeled: 128 });
    expect(config.views).toEqual({
      flip: true,
      cropPadding: null, // size/16
      operations: 2,
      magnitude: 9,
      exclude: [],
      weakFirst: false,
      cutout: 0,
    });
    expect(config.optimizer).toEqual({
      learningRate: 0.04,
      momentum: 0.95,
      nesterov: true,
      weightDecay: 2e-4,
      schedule: 'cycle',
      cycle: { pretrainSteps: plan.pretrain, cycleSteps: plan.cycle, endSteps: plan.end },
      warmupSteps: 0,
    });
    expect(config.steps).toBe(plan.pretrain + 2 * plan.cycle + plan.end);
    expect(config.ema.decay).toBe(0);
    const isDomainNet = row.data === 'domainnet';
    expect(config.evaluation).toEqual({
      protocol: isDomainNet ? 'best-on-validation' : 'median',
      every: plan.evaluate,
      window: 10,
    });
  });

  it('takes the published steps: reference', () => {
    const { algorithm } = resolveConfig({ preset: `reference-${setting}` });
    expect(algorithm).toEqual({
      name: 'featmatch-reference',
      strongViews: row.views,
      pseudoLabels: 'all-views',
      temperature: 0.75,
      mixupAlpha: 0.75,
      lambdaG: 0.5,
      lambdaF: 2,
      rampSteps: plan.ramp,
      pretrainSteps: plan.pretrain,
      heads: 4,
      scaleAttention: true,
      attentionDropout: 0.1,
      prototypesPerClass: 20,
      labeledRatio: 0.5,
      extractEvery: plan.extract,
    } satisfies AlgorithmConfig<'featmatch-reference'>);
  });

  it('computes the equations: paper', () => {
    const { algorithm } = resolveConfig({ preset: `paper-${setting}` });
    expect(algorithm).toEqual({
      name: 'featmatch',
      strongViews: row.views,
      labeledWeakViews: 1, // x of (6) is a weak view
      labeledStrongViews: 0,
      lambdaG: 0.5,
      lambdaF: 2,
      plainLabeledWeight: 0, // not in (7)
      rampSteps: plan.ramp,
      pseudoLabels: 'joint',
      temperature: 0.75,
      threshold: 0,
      adaptiveThreshold: false,
      distributionAlignment: false,
      heads: 4,
      scaleAttention: false, // not in (1)
      attentionDropout: 0,
      prototypesPerClass: 20,
      labeledRatio: 0.5,
      extractEvery: plan.extract,
      warmupSteps: plan.pretrain,
    } satisfies AlgorithmConfig<'featmatch'>);
  });
});

describe('the published settings of DomainNet', () => {
  it.each(FAMILIES)(
    'learn the real images at 128 pixels with a share of those of four other domains: %s',
    (family) => {
      for (const percent of [0, 25, 50, 75]) {
        expect(resolveConfig({ preset: `${family}-domainnet-${percent}` }).data).toMatchObject({
          side: 128,
          target: 'real',
          sources: ['clipart', 'painting', 'sketch', 'quickdraw'],
          sourceRatio: percent / 100,
          labelShare: 0.05,
          validationShare: 0.01,
        });
      }
    },
  );
});

it('there are no other published presets, and all are offered', () => {
  const expected = rows.flatMap(({ setting }) => FAMILIES.map((family) => `${family}-${setting}`));
  expect(Object.keys(publishedPresets).toSorted()).toEqual(expected.toSorted());
  expect(Object.keys(presets)).toEqual(expect.arrayContaining(expected));
});
