/** The names of the data sets that can be asked for, alone in a file so that naming them loads nothing else. */
export const datasetNames = [
  'mnist',
  'fashion-mnist',
  'kmnist',
  'emnist-digits',
  'emnist-letters',
  'emnist-balanced',
  'cifar-10',
  'cifar-100',
  'svhn',
  'svhn-extra',
  'mini-imagenet',
  'domainnet',
  'emoji-styles',
] as const;

export type DatasetName = (typeof datasetNames)[number];

/** In a configuration, the name of a user's own images. */
export const OWN_IMAGES = 'folder';
