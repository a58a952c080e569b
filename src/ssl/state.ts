/** Saved states of learners: tensors by name. */
import { noGrad, type Tensor } from '../tensor/index.js';

type State = ReadonlyMap<string, Tensor>;

/** The states of several parts in one, each under its part's name: `teacher.classifier.weight`. */
export function joinStates(parts: Readonly<Record<string, State>>): Map<string, Tensor> {
  return new Map(
    Object.entries(parts).flatMap(([part, state]) =>
      [...state].map(([name, value]) => [`${part}.${name}`, value] as const),
    ),
  );
}

/** Copies saved numbers into `own`. @throws Error where one is missing or has another shape; nothing is copied then */
export function copyState(own: State, saved: State): void {
  for (const [name, { shape }] of own) {
    const given = saved.get(name);
    if (given === undefined) throw new Error(`the saved state has no ${name}`);
    if (String(given.shape) !== String(shape))
      throw new Error(`${name} has shape [${given.shape}] instead of [${shape}]`);
  }
  noGrad(() => {
    for (const [name, value] of own) value.copyInPlace(saved.get(name) as Tensor);
  });
}
