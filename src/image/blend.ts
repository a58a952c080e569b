/**
 * Operations that blend an image with a degenerate version of itself, as Pillow 9.4's ImageEnhance does: Color with its
 * grey version, Sharpness with its smoothed one. Factor 0 gives the degenerate version, 1 the image, more overshoots.
 */

import { kernels, load, store } from './kernels.js';
import { byteSize, type PixelOperation } from './pixels.js';

/** Saturation. A greyscale image stays as it is. */
export const color: PixelOperation = (source, target, factor) => {
  if (source.channels === 1) {
    target.set(source.data);
    return;
  }
  load(source);
  kernels.blendWithGrey(byteSize(source), factor);
  store(source, target);
};

/** Sharpness, against a 3×3 smoothing. The outermost pixels are not smoothed and stay as they are. */
export const sharpness: PixelOperation = (source, target, factor) => {
  load(source);
  kernels.blendWithSmooth(source.height, source.width, source.channels, factor);
  store(source, target);
};
