/** Values of options, checked; commander tells of an error which option it was. */
import { InvalidArgumentError } from 'commander';

export function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('It is a number, 1 or greater.');
  return Number(text);
}

export function parsePort(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 65535)
    throw new InvalidArgumentError('It is a number of 0 to 65535.');
  return Number(text);
}

/** `40,100` */
export function parseCounts(text: string): number[] {
  if (!/^[1-9]\d*(,[1-9]\d*)*$/.test(text))
    throw new InvalidArgumentError('It is a list of numbers, such as 40,100.');
  return text.split(',').map(Number);
}

/** `0,1,2` */
export function parseSeeds(text: string): number[] {
  if (!/^\d+(,\d+)*$/.test(text)) throw new InvalidArgumentError('It is a list of seeds, such as 0,1,2.');
  return text.split(',').map(Number);
}
