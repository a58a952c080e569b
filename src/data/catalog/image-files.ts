/** Data sets of image files, which are decoded to one size at first use. */
import { familyNames } from '../emoji-styles/families.js';
import type { CatalogEntry, CatalogFile } from './entry.js';

export const miniImagenet: CatalogEntry = {
  title: 'mini-ImageNet photos of 100 classes of ImageNet',
  terms: 'for non-commercial research and education, as ImageNet',
  classes: 100,
  height: 84,
  width: 84,
  channels: 3,
  train: 50_000,
  test: 10_000,
  layout: { format: 'class-folders' },
  obtain: 'putting it together from ImageNet as docs/data.md describes',
};

/** Name, length and hash of a domain's lists and of its images. */
const domain = (
  name: string,
  place: string,
  rows: Readonly<Record<'train' | 'test' | 'zip', readonly [bytes: number, sha256: string]>>,
): CatalogFile[] => {
  const file = ([bytes, sha256]: readonly [number, string]) => ({ bytes, sha256, domain: name });
  return [
    { name: `domainnet/txt/${name}_train.txt`, ...file(rows.train) },
    { name: `domainnet/txt/${name}_test.txt`, ...file(rows.test) },
    { name: `${place}${name}.zip`, ...file(rows.zip), unpacksTo: name },
  ];
};

export const domainnet: CatalogEntry = {
  title: 'DomainNet: the same things as photos, clip art, paintings, sketches, doodles and infographics',
  terms: 'for research; the images keep the rights of their owners',
  classes: 345,
  height: 128,
  width: 128,
  channels: 3,
  train: 120_906,
  test: 52_041,
  layout: {
    format: 'domains',
    domains: ['real', 'clipart', 'painting', 'sketch', 'quickdraw', 'infograph'],
    target: 'real',
    sources: ['clipart', 'painting', 'sketch', 'quickdraw'],
  },
  download: {
    baseUrl: 'http://csr.bu.edu/ftp/visda/2019/multi-source/',
    files: [
      domain('real', '', {
        train: [4_440_944, '19d483256d24aef19e581b65eda8333fd918aef3eb733fe499ff384120e3a289'],
        test: [1_911_327, '2b3f75bcde309aeb5931292084b2162e936b5f189e3bb1ad716f0f74c460864c'],
        zip: [6_062_039_589, 'd7fe010b430c5b510f85d657d38c4a1924822695fabea4fef57bd00dba251d63'],
      }),
      domain('clipart', 'groundtruth/', {
        train: [1_443_819, 'affdadf5f95a7583e6b98030a3d35007e2613ee4dd942393c5a705ec2b429312'],
        test: [628_917, '62c8e36aaba1c41ad9e249099739707220a44c08f167b37ef420f34a31628a6b'],
        zip: [1_270_909_081, 'f8f248a3e8bbc9868c523ae24e6601b4c2ad102afc60c0efeb4f3255df22354d'],
      }),
      domain('painting', 'groundtruth/', {
        train: [2_241_901, 'f1da38d50a702fddf1329f85bc607d7a2abcae7e6aec75e1fd49cc1bd340d47b'],
        test: [971_888, '11472b13b5188e09f06918b12eebb660588c97a20e43e268d9b02e3e37eb8f97'],
        zip: [3_679_366_174, 'fa47e6d405503ea0286cabd767f176bd30e988b63ddd7b9db16cf030c9770015'],
      }),
      domain('sketch', '', {
        train: [1_960_222, '72f4bc6afa5702a1ccba800d0053c1427de87439dfaf246dbc9a2e71abfec54f'],
        test: [850_581, '3fb48fca18c507c4321f007c3f62b308ec232ff6928cbfe2af64e76ec366e840'],
        zip: [2_633_992_926, '23a7dbae7016b343e934399beaa8a68728fb5e570ebe2c71df9b75cf91c499fc'],
      }),
      domain('quickdraw', '', {
        train: [5_164_600, '3a5edd3bc215772010eebc87f158707703dd7e48091d13b816af81326a9d1c0f'],
        test: [2_213_400, '2a00a60650a453c65c356da748fec54084a197272137c440e7d52d08947357bf'],
        zip: [459_920_701, '9f37df2a8c3733703dbb35ad9964202a65f675ca30137756457537536b485d84'],
      }),
      domain('infograph', '', {
        train: [1_683_098, '36b44cbd41a2915e0dc73b4f4be8862a6f3c220f93c8d63fb2439beeae3aefda'],
        test: [728_028, '413cfa54ac92e7e6b242f4f09fbd9c8ace85c4deaf3cb6c81ff6b68264460136'],
        zip: [4_338_659_804, '891e14f476317e97b6f06d6498c11d0a5b8d0c8b57210765ed9beb072da611fa'],
      }),
    ].flat(),
  },
};

/** Drawn by `featmatch data build`, see docs/emoji-styles.md. */
export const emojiStyles: CatalogEntry = {
  title: 'emoji-styles: the same things drawn in six styles of emoji',
  terms: 'Apache-2.0, CC-BY-4.0, CC-BY-SA-4.0 or MIT, by style; LICENCES.txt beside the images says which',
  classes: 10,
  height: 64,
  width: 64,
  channels: 3,
  train: 210,
  test: 102,
  layout: {
    format: 'domains',
    domains: familyNames,
    target: 'noto',
    sources: ['twemoji', 'openmoji', 'fluent', 'fluent-flat', 'fluent-high-contrast'],
  },
  obtain: '"featmatch data build emoji-styles"',
};
