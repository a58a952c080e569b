/** The data sets that can be asked for by name. Lengths and hashes of files are those that TensorFlow Datasets records. */
import * as digits from './digits.js';
import type { CatalogEntry } from './entry.js';
import * as imageFiles from './image-files.js';
import type { DatasetName } from './names.js';
import * as photos from './photos.js';

export const catalog: Readonly<Record<DatasetName, CatalogEntry>> = {
  mnist: digits.mnist,
  'fashion-mnist': digits.fashionMnist,
  kmnist: digits.kmnist,
  'emnist-digits': digits.emnistDigits,
  'emnist-letters': digits.emnistLetters,
  'emnist-balanced': digits.emnistBalanced,
  'cifar-10': photos.cifar10,
  'cifar-100': photos.cifar100,
  svhn: photos.svhn,
  'svhn-extra': photos.svhnExtra,
  'mini-imagenet': imageFiles.miniImagenet,
  domainnet: imageFiles.domainnet,
  'emoji-styles': imageFiles.emojiStyles,
};
