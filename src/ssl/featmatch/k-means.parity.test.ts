/** Clustering by direction: features are scaled to length 1 first. */
import { beforeAll, describe, expect, it } from 'vitest';
import { parityJson, parityTensors } from '../../../test/support/parity.js';
import { Generator, setThreads, tidy } from '../../tensor/index.js';
import { kMeans } from './k-means.js';

beforeAll(() => setThreads(1));

describe('K-means', () => {
  it.each([1, 2, 3])(
    'comes within a percent of the best inertia known of the parity data (seed %i)',
    (seed) => {
      const { k, best_known_inertia } = parityJson<{ k: number; best_known_inertia: number }>('kmeans.json');
      const inertia = tidy(() => {
        const features = parityTensors('kmeans.safetensors')('features');
        const directions = features.div(features.norm([1], true).clamp(1e-12, null));
        return kMeans(directions, { clusters: k, generator: new Generator(seed) }).inertia;
      });
      expect(inertia).toBeLessThanOrEqual(1.01 * best_known_inertia);
    },
  );
});
