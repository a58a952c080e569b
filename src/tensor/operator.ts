/** Calls into libtorch by the operators' schemas. */
import { type Handle, type NativeArgument, type NativeResult, native } from './native.js';

/** Tensors and generators have a handle. Undefined takes the schema's default. */
export type Argument =
  | { readonly handle: Handle }
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly Argument[];

const ids = new Map<string, number>();

function operatorId(name: string): number {
  let id = ids.get(name);
  if (id === undefined) {
    const [base, overload = ''] = name.split('.') as [string, string?];
    id = native().operator(base.includes('::') ? base : `aten::${base}`, overload);
    ids.set(name, id);
  }
  return id;
}

function toNative(argument: Argument): NativeArgument {
  if (typeof argument !== 'object' || argument === null) return argument;
  return 'handle' in argument ? argument.handle : argument.map(toNative);
}

/** Calls `name` (`conv2d`, `add.Tensor`, `featmatch::…`); missing trailing arguments take the schema's defaults. */
export function callOperator(name: string, args: readonly Argument[]): NativeResult {
  return native().call(operatorId(name), ...args.map(toNative));
}
