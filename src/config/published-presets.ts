/**
 * The settings in which FeatMatch was published (Kuo et al. 2020), in two forms each: `reference` is the published code
 * step for step, `paper` the paper's equations with the same data, network sizes and plan.
 */
import { merge } from './merge.js';
import type { PartialConfig } from './schema.js';

/** What all settings share. What the schema has as default does not stand here. */
const base = {
  views: { flip: true, weakFirst: false },
  batch: { labeled: 64, unlabeled: 128 },
  optimizer: { learningRate: 0.04, momentum: 0.95, weightDecay: 2e-4, schedule: 'cycle' },
  ema: { decay: 0 },
  steps: 183_000, // 3,000 + 2 · 75,000 + 30,000 of the learning-rate cycle
  evaluation: { protocol: 'median', every: 250 },
} satisfies PartialConfig;

/** DomainNet takes more steps of fewer images, and chooses the weights on 1 % of the labels. */
const domainNetBase = {
  batch: { labeled: 32 },
  optimizer: { cycle: { pretrainSteps: 4000, cycleSteps: 100_000, endSteps: 40_000 } },
  steps: 244_000,
  evaluation: { protocol: 'best-on-validation', every: 500 },
} satisfies PartialConfig;
const domainNetAlgorithm = { strongViews: 4, rampSteps: 100_000, extractEvery: 1000 };

interface Family {
  readonly base: PartialConfig;
  readonly domainNet: PartialConfig;
  /** what blocks of the wide residual network see that change its width */
  readonly preActivation: 'full' | 'first-only';
}

const families = {
  reference: {
    base: { algorithm: { name: 'featmatch-reference' } }, // whose defaults are the published numbers
    domainNet: { algorithm: { ...domainNetAlgorithm, pretrainSteps: 4000 } },
    preActivation: 'first-only',
  },
  paper: {
    base: {
      algorithm: {
        name: 'featmatch',
        strongViews: 8,
        labeledWeakViews: 1, // (6): x is a weak view
        labeledStrongViews: 0,
        lambdaG: 0.5,
        lambdaF: 2,
        plainLabeledWeight: 0,
        rampSteps: 75_000,
        pseudoLabels: 'joint',
        temperature: 0.75,
        distributionAlignment: false,
        heads: 4,
        scaleAttention: false, // (1)
        extractEvery: 500,
        warmupSteps: 3000,
      },
    },
    domainNet: { algorithm: { ...domainNetAlgorithm, warmupSteps: 4000 } },
    preActivation: 'full',
  },
} satisfies Record<string, Family>;

const wideResNet = { name: 'wide-resnet', depth: 28, width: 2, batchNormMomentum: 0.001 } as const;
const cifar10 = { data: { name: 'cifar-10', normalization: 'zca' }, model: wideResNet } as const;
const svhn = { data: { name: 'svhn' }, model: wideResNet } as const;
const cifar100 = { data: { name: 'cifar-100', normalization: 'zca' }, model: { name: 'cnn-13' } } as const;
const miniImageNet = { data: { name: 'mini-imagenet' }, model: { name: 'resnet-18' } } as const;

const withLabels = (setting: PartialConfig, labels: number) => merge(setting, { data: { labels } });

const settings = {
  'cifar10-250': withLabels(cifar10, 250),
  'cifar10-1000': withLabels(cifar10, 1000),
  'cifar10-4000': withLabels(cifar10, 4000),
  'svhn-250': withLabels(svhn, 250),
  'svhn-1000': withLabels(svhn, 1000),
  'svhn-4000': withLabels(svhn, 4000),
  'cifar100-4000': withLabels(cifar100, 4000),
  'cifar100-10000': withLabels(cifar100, 10_000),
  'mini-imagenet-4000': withLabels(miniImageNet, 4000),
  'mini-imagenet-10000': withLabels(miniImageNet, 10_000),
  'domainnet-0': domainNet(0),
  'domainnet-25': domainNet(0.25),
  'domainnet-50': domainNet(0.5),
  'domainnet-75': domainNet(0.75),
};

/** @param sourceRatio share r_u of the unlabeled images that is of the other domains */
function domainNet(sourceRatio: number): PartialConfig {
  const data: PartialConfig['data'] = {
    name: 'domainnet',
    side: 128,
    target: 'real',
    sources: ['clipart', 'painting', 'sketch', 'quickdraw'],
    sourceRatio,
    labelShare: 0.05,
    validationShare: 0.01,
  };
  return { ...domainNetBase, data, model: { name: 'resnet-18' } };
}

export type PublishedPreset = `${keyof typeof families}-${keyof typeof settings}`;

export const publishedPresets = Object.fromEntries(
  Object.entries(families).flatMap(([family, parts]) =>
    Object.entries(settings).map(([name, setting]) => [`${family}-${name}`, combine(parts, setting)]),
  ),
) as Record<PublishedPreset, PartialConfig>;

function combine(
  { base: familyBase, domainNet, preActivation }: Family,
  setting: PartialConfig,
): PartialConfig {
  const layers = [
    base,
    familyBase,
    setting,
    ...(setting.data?.name === 'domainnet' ? [domainNet] : []),
    ...(setting.model?.name === 'wide-resnet' ? [{ model: { preActivation } }] : []),
  ];
  return layers.reduce(merge, {});
}
