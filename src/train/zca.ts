/**
 * ZCA whitening (Bell and Sejnowski 1997; Krizhevsky 2009, appendix A): pixel values without correlations and of
 * variance 1, by the one such transform that changes images least. Pixels count from 0 to 1, in the order C, H, W.
 */
import { gatherPixels, type ImageSet, imageSize } from '../data/dataset.js';
import { InputError } from '../errors.js';
import { keep, type Tensor, tensor, tidy, zeros } from '../tensor/index.js';

/** With D = C·H·W. Both live until they are garbage. */
export interface Zca {
  /** (D), float32 */
  readonly mean: Tensor;
  /** U diag(1/(√S + ε)) Uᵀ (D, D), float32, symmetric; S and U are eigenvalues and eigenvectors of the covariance */
  readonly matrix: Tensor;
}

const EPSILON = 1e-12;
/** The matrix of larger images does not fit: 512 MB in float64. */
const MAX_DIMENSION = 8192;
/** Far below the variance 1/12 · 1/255² that rounding to bytes alone gives. */
const MIN_VARIANCE = 1e-10;
/** A sum over so many products of numbers up to 128 is exact in float32: 1024 · 128² = 2²⁴. */
const CHUNK = 1024;

/**
 * The transform that whitens the given images.
 * @throws InputError where the images are too large, too few or too much alike to have one
 */
export function fitZca(images: ImageSet, indices: Int32Array): Zca {
  const dimension = imageSize(images);
  if (dimension > MAX_DIMENSION) {
    throw new InputError(
      `data.normalization 'zca' takes images of at most ${MAX_DIMENSION} values, not ${dimension}: set it to 'standard'`,
    );
  }
  return tidy(() => {
    const { mean, covariance } = moments(images, indices);
    const { values, vectors } = covariance.eigh(); // S (D), rising; U (D, D)
    if (!(values.narrow(0, 0, 1).item() > MIN_VARIANCE)) {
      throw new InputError(
        `data.normalization 'zca' cannot be fitted to these ${indices.length} training images: they do not differ in all ` +
          `of their ${dimension} values, or are too few; set it to 'standard'`,
      );
    }
    const scales = tensor([1], [1], 'float64').div(values.sqrt().add(EPSILON)); // (D)
    const matrix = vectors.mul(scales).matmul(vectors.transpose(0, 1)); // U scaled by columns, times Uᵀ
    return { mean: keep(mean.to('float32')), matrix: keep(matrix.to('float32')) };
  });
}

/** Images (N, C, H, W), 0…1 → whitened, channels-last. */
export function whiten(images: Tensor, { mean, matrix }: Zca): Tensor {
  return tidy(() => {
    const centered = images.flatten(1).sub(mean); // (N, D)
    return centered
      .matmul(matrix)
      .reshape(...images.shape)
      .contiguous('channels-last');
  });
}

/** Mean (D) and covariance (D, D) of the images, float64, exact up to the last division. */
function moments(images: ImageSet, indices: Int32Array): { mean: Tensor; covariance: Tensor } {
  const { height, width, channels } = images;
  const dimension = imageSize(images);
  const sum = zeros([dimension], { dtype: 'float64' });
  const products = zeros([dimension, dimension], { dtype: 'float64' });
  for (let start = 0; start < indices.length; start += CHUNK) {
    const chunk = indices.subarray(start, start + CHUNK);
    tidy(() => {
      const pixels = tensor(gatherPixels(images, chunk), [chunk.length, height, width, channels]);
      const x = pixels.to('float32').addInPlace(-128).permute(0, 3, 1, 2).flatten(1); // (n, D), −128…127
      sum.addInPlace(x.to('float64').sum([0]));
      products.addInPlace(x.transpose(0, 1).matmul(x).to('float64'));
    });
  }
  const offset = sum.div(indices.length); // mean − 128
  const outer = offset.unsqueeze(1).mul(offset.unsqueeze(0)); // (D, D)
  return {
    mean: offset.add(128).div(255),
    covariance: products
      .div(indices.length)
      .sub(outer)
      .div(255 ** 2),
  };
}
