/**
 * What emoji-styles shows: which emoji, of which class, and in which part. The split is by concept, so what a model is
 * tested on it has seen in no style.
 */

import { randomStream, shuffledRange } from '../../image/random.js';
import type { Part } from '../folder/list.js';

/** One emoji as Unicode has it. */
export interface UnicodeEmoji {
  /** Code points in hexadecimal, separated by spaces. */
  readonly codes: string;
  readonly name: string;
  readonly group: string;
  readonly subgroup: string;
}

export interface EmojiImage {
  /** Code point in lower-case hexadecimal, as the families' tables have it. */
  readonly codePoint: string;
  readonly name: string;
  /** What it shows, whichever way: the face of a dog and a dog are one concept, as are a heart in red and in blue. */
  readonly concept: string;
  /** Its class: the Unicode subgroup. */
  readonly subgroup: string;
  readonly part: Part;
}

/** Of concepts, in each class. The rest is for the test. */
const SHARE: Readonly<Record<'train' | 'validation', number>> = { train: 0.6, validation: 0.1 };

/** A subgroup of fewer concepts is no class. */
const LEAST_CONCEPTS = 21;

/** Signs, letters and flags are no pictures of things; most pictures of people differ by gender or skin tone alone. */
const GROUPS = new Set([
  'Smileys & Emotion',
  'Animals & Nature',
  'Food & Drink',
  'Travel & Places',
  'Activities',
  'Objects',
]);

const COLOR =
  /\b(light blue|red|pink|orange|yellow|green|blue|purple|brown|black|grey|white)\b (?=heart|book|apple)/;

/** Names that say the same thing in another state, size, colour or view: what is left is the concept. */
const VARIANTS: readonly (readonly [RegExp, string])[] = [
  [/.*(o’clock|-thirty)$/, 'clock face'],
  [/.*\bmoon( face)?$/, 'moon'],
  [/^(sun|cloud)\b.*/, 'sun or cloud'],
  [/^sunrise\b.*|^sunset$/, 'sunrise'],
  [/^cityscape\b.*/, 'cityscape'],
  [/.*\bmailbox\b.*/, 'mailbox'],
  [/^(glowing |shooting )?star$/, 'star'],
  [/^umbrella\b.*|^closed umbrella$/, 'umbrella'],
  [/^snowman\b.*/, 'snowman'],
  [/^oncoming /, ''],
  [/^(bullet|high-speed) train$/, 'high-speed train'],
  [/^(train|metro|tram|light rail|tram car|railway car|station|monorail|locomotive)$/, 'train'],
  [/^(horizontal|vertical) traffic light$/, 'traffic light'],
  [/^house with garden$|^houses$/, 'house'],
  [/^(Japanese )?(post office|castle)$/, '$2'],
  [/^love hotel$/, 'hotel'],
  [/^(guide dog|poodle|service dog)$/, 'dog'],
  [/^two-hump camel$/, 'camel'],
  [/^(boar|pig nose)$/, 'pig'],
  [/^ox$|^water buffalo$/, 'cow'],
  [/^ewe$/, 'ram'],
  [/^rat$/, 'mouse'],
  [/^(man|woman)’s /, ''],
  [/^sunglasses$/, 'glasses'],
  [/^(hiking boot|boot)$/, 'boot'],
  [/^(sandal|thong sandal)$/, 'sandal'],
  [/^hammer and (pick|wrench)$/, 'hammer'],
  [/^(spiral |tear-off )?calendar$/, 'calendar'],
  [/^(open )?file folder$/, 'file folder'],
  [/^chart (in|de)creasing$/, 'chart'],
  [/^(round )?pushpin$/, 'pushpin'],
  [/^(linked )?paperclips?$/, 'paperclip'],
  [/.* suit$/, 'card suit'],
  [/^(admission )?tickets?$/, 'ticket'],
  [/ face$/, ''],
  [/^slightly /, ''],
  [/^loudly /, ''],
  [/ with (open mouth|sweat)$/, ''],
];

/** @param name of an emoji, as Unicode has it */
export function conceptOf(name: string): string {
  return VARIANTS.reduce((concept, [pattern, replacement]) => concept.replace(pattern, replacement), name)
    .replace(COLOR, '')
    .toLowerCase();
}

/**
 * The images of the data set, one a style of each, sorted by class and code point; the parts by a fixed drawing lot.
 *
 * @param isDrawn whether every family has a picture of a code point
 */
export function chooseEmoji(
  emoji: readonly UnicodeEmoji[],
  isDrawn: (codePoint: string) => boolean,
): EmojiImage[] {
  const bySubgroup = new Map<string, Map<string, { codePoint: string; name: string }[]>>();
  const seen = new Set<string>();
  for (const { codes, name, group, subgroup } of emoji) {
    const [codePoint, ...others] = codes
      .toLowerCase()
      .split(' ')
      .filter((code) => code !== 'fe0f');
    // Sequences of several code points are variants of skin tone and gender, and flags.
    if (others.length > 0 || !GROUPS.has(group) || seen.has(codePoint) || !isDrawn(codePoint)) continue;
    seen.add(codePoint);
    const concepts = bySubgroup.get(subgroup) ?? new Map();
    const concept = conceptOf(name);
    concepts.set(concept, [...(concepts.get(concept) ?? []), { codePoint, name }]);
    bySubgroup.set(subgroup, concepts);
  }
  return [...bySubgroup]
    .filter(([, concepts]) => concepts.size >= LEAST_CONCEPTS)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([subgroup, concepts], index) => inParts([...concepts], subgroup, index));
}

function inParts(
  concepts: readonly [string, readonly { codePoint: string; name: string }[]][],
  subgroup: string,
  index: number,
): EmojiImage[] {
  const order = shuffledRange(concepts.length, randomStream(0, index));
  const trainEnd = Math.round(SHARE.train * concepts.length);
  const validationEnd = Math.round((SHARE.train + SHARE.validation) * concepts.length);
  return concepts
    .flatMap(([concept, members], i) => {
      const part = order[i] < trainEnd ? 'train' : order[i] < validationEnd ? 'validation' : 'test';
      return members.map((member) => ({ ...member, concept, subgroup, part }) as const);
    })
    .sort((a, b) => Number.parseInt(a.codePoint, 16) - Number.parseInt(b.codePoint, 16));
}
