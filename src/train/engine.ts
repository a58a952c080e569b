import { availableParallelism } from 'node:os';
import type { Config } from '../config/index.js';
import { setConvolutionAlgorithm, setDevice, setPrecision, setThreads } from '../tensor/index.js';
import type { Place } from './distributed/launcher.js';

/**
 * Makes the engine compute as a configuration says. @throws InputError where there is no engine, or not that device
 * @param place this process among those of this host, which share its processors and GPUs
 */
export function configureEngine(
  config: Pick<Config, 'threads' | 'convolution' | 'device' | 'precision'>,
  place: Pick<Place, 'localRank' | 'localSize'> = { localRank: 0, localSize: 1 },
): void {
  const { threads, convolution, device, precision } = config;
  const { localRank, localSize } = place;
  setThreads(threads ?? Math.max(1, Math.floor(availableParallelism() / localSize)));
  setDevice(device === 'cuda' ? `cuda:${localRank}` : device);
  setPrecision(precision);
  setConvolutionAlgorithm(convolution);
}
