import { expect, it } from 'vitest';
import { describeDifferences } from './differences.js';
import { resolveConfig } from './resolve.js';

it('names every setting in which two configurations differ, with both values', () => {
  const one = resolveConfig({
    sets: ['optimizer.learningRate=0.1', 'views.exclude=["invert"]', 'threads=2', 'algorithm.heads=2'],
  });
  const other = resolveConfig({ sets: ['data.folder=images'] });
  expect(describeDifferences(one, one)).toEqual([]);
  expect(describeDifferences(one, other)).toEqual([
    'algorithm.heads: 2 here, 1 there',
    'data.folder: nothing here, "images" there',
    'views.exclude: ["invert"] here, [] there',
    'optimizer.learningRate: 0.1 here, 0.06 there',
    'threads: 2 here, null there',
  ]);
});

it('names two algorithms or models, and not all that only one of them has', () => {
  const one = resolveConfig();
  const other = resolveConfig({ sets: ['algorithm.name=supervised', 'model.name=cnn-13'] });
  expect(describeDifferences(one, other)).toEqual([
    'algorithm.name: "featmatch" here, "supervised" there',
    'model.name: "wide-resnet" here, "cnn-13" there',
  ]);
});
