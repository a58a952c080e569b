/** Named settings: only what differs from the defaults of the schema. */
import type { PartialConfig } from './schema.js';

/** A network for 28×28 pixels that is four times faster than with the usual strides, and as accurate. */
const smallImages = { model: { strides: [2, 2, 2] } } satisfies PartialConfig;

export const presets = {
  mnist: {
    ...smallImages,
    // what changes a digit's shape teaches more than what changes its shades
    views: {
      exclude: [
        'identity',
        'autoContrast',
        'equalize',
        'invert',
        'solarize',
        'posterize',
        'color',
        'brightness',
      ],
    },
  },
  'fashion-mnist': {
    ...smallImages,
    data: { name: 'fashion-mnist', labels: 100 },
    views: { flip: true, cutout: 0.4 },
    algorithm: { adaptiveThreshold: true },
  },
} satisfies Record<string, PartialConfig>;

export type PresetName = keyof typeof presets;
