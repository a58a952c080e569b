/** Photos of 32×32 pixels: CIFAR and SVHN. */
import type { CatalogEntry } from './entry.js';

const SIZE = { height: 32, width: 32, channels: 3 } as const;

const CIFAR_100_CLASSES = (
  'apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle ' +
  'caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish ' +
  'forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle ' +
  'mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine ' +
  'possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar ' +
  'sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale ' +
  'willow_tree wolf woman worm'
).split(' ');

const CIFAR_TERMS = 'none stated; its publisher asks for a citation of the report of Krizhevsky, 2009';

export const cifar10: CatalogEntry = {
  title: 'CIFAR-10 photos of vehicles and animals',
  terms: CIFAR_TERMS,
  classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
  ...SIZE,
  train: 50_000,
  test: 10_000,
  layout: { format: 'cifar', variant: 'cifar-10' },
  download: {
    baseUrl: 'https://www.cs.toronto.edu/~kriz/',
    files: [
      {
        name: 'cifar-10-binary.tar.gz',
        bytes: 170_052_171,
        sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
      },
    ],
  },
};

export const cifar100: CatalogEntry = {
  title: 'CIFAR-100 photos of things, plants, animals and people',
  terms: CIFAR_TERMS,
  classes: CIFAR_100_CLASSES,
  ...SIZE,
  train: 50_000,
  test: 10_000,
  layout: { format: 'cifar', variant: 'cifar-100' },
  download: {
    baseUrl: 'https://www.cs.toronto.edu/~kriz/',
    files: [
      {
        name: 'cifar-100-binary.tar.gz',
        bytes: 168_513_733,
        sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
      },
    ],
  },
};

const SVHN_FILES = {
  train: {
    name: 'train_32x32.mat',
    bytes: 182_040_794,
    sha256: '435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8',
  },
  test: {
    name: 'test_32x32.mat',
    bytes: 64_275_384,
    sha256: 'cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b',
  },
  extra: {
    name: 'extra_32x32.mat',
    bytes: 1_329_278_602,
    sha256: 'a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3',
  },
};

const SVHN = {
  terms: 'for non-commercial use',
  classes: [...'0123456789'],
  ...SIZE,
  test: 26_032,
  folder: 'svhn',
};
const SVHN_URL = 'http://ufldl.stanford.edu/housenumbers/';

export const svhn: CatalogEntry = {
  ...SVHN,
  title: 'SVHN street view house numbers, one digit an image',
  train: 73_257,
  layout: { format: 'svhn', train: ['train_32x32.mat'], test: ['test_32x32.mat'] },
  download: { baseUrl: SVHN_URL, files: [SVHN_FILES.train, SVHN_FILES.test] },
};

export const svhnExtra: CatalogEntry = {
  ...SVHN,
  title: 'SVHN with its 531,131 extra, easier training images',
  train: 604_388,
  layout: { format: 'svhn', train: ['train_32x32.mat', 'extra_32x32.mat'], test: ['test_32x32.mat'] },
  download: { baseUrl: SVHN_URL, files: Object.values(SVHN_FILES) },
};
