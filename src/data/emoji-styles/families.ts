/** The families of emoji artwork that emoji-styles is drawn from, one domain each, and where Unicode's names come from. */

export interface Family {
  /** npm package with the artwork as SVG, in the form of Iconify. */
  readonly npmPackage: string;
  /** The version whose artwork the data set was made and measured with. */
  readonly version: string;
  readonly author: string;
  /** SPDX identifier. */
  readonly licence: string;
  readonly licenceUrl: string;
  /** The family whose table of characters also names this one's pictures, if its package has none. */
  readonly namesFrom?: string;
}

const FLUENT = {
  author: 'Microsoft Corporation',
  licence: 'MIT',
  licenceUrl: 'https://github.com/microsoft/fluentui-emoji/blob/main/LICENSE',
} as const;

export const families = {
  noto: {
    npmPackage: '@iconify-json/noto',
    version: '1.2.9',
    author: 'Google Inc.',
    licence: 'Apache-2.0',
    licenceUrl: 'https://github.com/googlefonts/noto-emoji/blob/main/svg/LICENSE',
  },
  twemoji: {
    npmPackage: '@iconify-json/twemoji',
    version: '1.2.5',
    author: 'Twitter',
    licence: 'CC-BY-4.0',
    licenceUrl: 'https://creativecommons.org/licenses/by/4.0/',
  },
  openmoji: {
    npmPackage: '@iconify-json/openmoji',
    version: '1.2.29',
    author: 'OpenMoji',
    licence: 'CC-BY-SA-4.0',
    licenceUrl: 'https://creativecommons.org/licenses/by-sa/4.0/',
  },
  fluent: {
    npmPackage: '@iconify-json/fluent-emoji',
    version: '1.2.7',
    namesFrom: '@iconify-json/fluent-emoji-flat',
    ...FLUENT,
  },
  'fluent-flat': { npmPackage: '@iconify-json/fluent-emoji-flat', version: '1.2.6', ...FLUENT },
  'fluent-high-contrast': {
    npmPackage: '@iconify-json/fluent-emoji-high-contrast',
    version: '1.2.6',
    ...FLUENT,
  },
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;

export const familyNames = Object.keys(families) as readonly FamilyName[];

/** The emoji of Unicode with their names, groups and subgroups (MIT). */
export const EMOJI_PACKAGE = { npmPackage: 'emoji.json', version: '16.0.0' } as const;

/** The command that installs all that the data set is drawn from. */
export const INSTALL_COMMAND = `npm install --no-save ${[EMOJI_PACKAGE, ...Object.values(families)]
  .map(({ npmPackage, version }) => `${npmPackage}@${version}`)
  .join(' ')}`;
