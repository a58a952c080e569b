/**
 * A computation written down instead of done: operators of ONNX (opset 17) between named values. Plain data, which
 * {@link encodeModel} turns into a file.
 */

/** A value by its name in the graph. */
export type Value = string & { readonly brand: 'value' };

/**
 * What a constant is, which decides how it may be stored: the weights of a convolution or linear layer, with one row per
 * output; another large table; or numbers that are few and stay as they are.
 */
export type Role = 'weight' | 'table' | 'exact';

export interface Constant {
  readonly name: Value;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
  readonly role: Role;
}

export type Attribute = number | readonly number[];

export interface Node {
  readonly operator: string;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export type ElementType = 'uint8' | 'float32';

/** An input or output; each first dimension is the number of images, which is left open. */
export interface Port {
  readonly name: Value;
  readonly type: ElementType;
  /** dimensions after the first */
  readonly shape: readonly number[];
}

/** Numbers of any trained tensor, row-major. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export class Graph {
  readonly inputs: Port[] = [];
  readonly outputs: Port[] = [];
  readonly constants = new Map<Value, Constant>();
  /** each after what it reads */
  nodes: Node[] = [];
  private made = 0;

  input(name: string, type: ElementType, shape: readonly number[]): Value {
    const value = name as Value;
    this.inputs.push({ name: value, type, shape });
    return value;
  }

  /** Names a value of float32 as an output. @param shape its dimensions after the number of images */
  output(name: string, value: Value, shape: readonly number[]): void {
    const port = name as Value;
    this.nodes.push({ operator: 'Identity', inputs: [value], output: port, attributes: {} });
    this.outputs.push({ name: port, type: 'float32', shape });
  }

  constant(
    data: Constant['data'] | readonly number[],
    shape: readonly number[],
    role: Role = 'exact',
  ): Value {
    const name = this.newName('constant');
    const array = data instanceof BigInt64Array ? data : Float32Array.from(data);
    this.constants.set(name, { name, shape, data: array, role });
    return name;
  }

  weight({ data, shape }: Weight, role: Role = 'exact'): Value {
    return this.constant(data, shape, role);
  }

  /** Applies an operator of ONNX that has one result. */
  apply(operator: string, inputs: readonly Value[], attributes: Node['attributes'] = {}): Value {
    const output = this.newName(operator.toLowerCase());
    this.nodes.push({ operator, inputs, output, attributes });
    return output;
  }

  private newName(kind: string): Value {
    return `${kind}_${this.made++}` as Value;
  }
}
