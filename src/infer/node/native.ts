/**
 * The packages with native code, by `require`: an `import` of what is not an ES module has Node start a parser for it
 * first, which took 80 ms of processor time of a process's first answer.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const sharp = require('sharp') as typeof import('sharp')['default'];
export const onnxruntime = require('onnxruntime-node') as typeof import('onnxruntime-node');
