/** What makes all processes go on from the same place. */
import { type Config, describeDifferences } from '../../config/index.js';
import { InputError } from '../../errors.js';
import type { SplitRecord } from '../../runs/index.js';
import { concatenate, type DType, type Tensor, tidy, zeros } from '../../tensor/index.js';
import type { Learning } from '../learning.js';
import { shareValue, type World } from './world.js';

/** @throws InputError where this process has another configuration or other images than the first one */
export function checkSameEverywhere(world: World, config: Config, recordSplit: () => SplitRecord): void {
  if (world.size === 1) return;
  // Where a host keeps its data is its own affair.
  const settings = { ...config, data: { ...config.data, folder: undefined } };
  const split = recordSplit();
  const first = shareValue(world, { settings, split });
  const differences = describeDifferences(settings, first.settings);
  if (differences.length > 0) {
    throw new InputError(
      `rank ${world.rank} has another configuration than rank 0: ${differences.join('; ')}`,
    );
  }
  const changed = (Object.keys(split) as (keyof SplitRecord)[]).filter(
    (key) => JSON.stringify(split[key]) !== JSON.stringify(first.split[key]),
  );
  if (changed.length > 0) {
    throw new InputError(`rank ${world.rank} has other images than rank 0: ${changed.join(', ')} differ`);
  }
  world.wait(); // before anything is written
}

/** Gives all processes what the first one has learned. */
export function shareLearning(world: World, learning: Learning): void {
  if (world.size === 1) return;
  const isFirst = world.rank === 0;
  tidy(() => {
    const own = isFirst ? [...learning.state()] : [];
    const all = shareValue(
      world,
      own.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    );
    const state = new Map<string, Tensor>();
    for (const dtype of new Set<DType>(all.map((described) => described.dtype))) {
      const described = all.filter((one) => one.dtype === dtype);
      const sizes = described.map(({ shape }) => shape.reduce((product, length) => product * length, 1));
      const flat = isFirst
        ? concatenate(own.flatMap(([, value]) => (value.dtype === dtype ? [value.reshape(-1)] : [])))
        : zeros([sizes.reduce((sum, size) => sum + size, 0)], { dtype });
      world.broadcast(flat);
      flat.split(sizes).forEach((values, i) => {
        state.set(described[i].name, values.reshape(...described[i].shape));
      });
    }
    if (!isFirst) learning.load(state);
  });
}
