import type { Config } from '../config/index.js';
import { setConvolutionAlgorithm, setThreads } from '../tensor/index.js';

/** Makes the engine compute as a configuration says. @throws InputError where there is no engine */
export function configureEngine({ threads, convolution }: Pick<Config, 'threads' | 'convolution'>): void {
  setThreads(threads ?? undefined);
  setConvolutionAlgorithm(convolution);
}
