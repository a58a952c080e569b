import { availableParallelism } from 'node:os';
import type { Config } from '../config/index.js';
import { setConvolutionAlgorithm, setThreads } from '../tensor/index.js';

/**
 * Makes the engine compute as a configuration says. @throws InputError where there is no engine
 * @param processes of this host, which share its processors
 */
export function configureEngine(
  { threads, convolution }: Pick<Config, 'threads' | 'convolution'>,
  processes = 1,
): void {
  setThreads(threads ?? Math.max(1, Math.floor(availableParallelism() / processes)));
  setConvolutionAlgorithm(convolution);
}
