/** Graphs as ONNX files, by the messages of the official schema. */
import { create, toBinary } from '@bufbuild/protobuf';
import type { Attribute, Constant, ElementType, Graph, Node, Port } from './graph.js';
import { toHalf } from './half.js';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.js';

/** The version of the operators' definitions, and that of the file format which is current with it. */
const OPSET = 17n;
const IR_VERSION = 8n;

/**
 * How large constants are stored; they compute in float32 all the same. `half`: rounded to 16 bits. `int8`: weights as
 * whole numbers −127…127 times a scale for each output, tables rounded to 16 bits.
 */
export type Precision = 'float32' | 'half' | 'int8';

export interface ModelFileOptions {
  readonly precision: Precision;
  /** featmatch's version */
  readonly version: string;
  /** for people and programs: what stands in the file's metadata */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of a model file. */
export function encodeModel(
  graph: Graph,
  { precision, version, metadata = {} }: ModelFileOptions,
): Uint8Array {
  const stored = [...graph.constants.values()].map((constant) => store(constant, precision));
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'featmatch',
    producerVersion: version,
    opsetImport: [{ domain: '', version: OPSET }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: create(GraphProtoSchema, {
      name: 'featmatch',
      input: graph.inputs.map(encodePort),
      output: graph.outputs.map(encodePort),
      initializer: stored.flatMap(({ tensors }) => tensors),
      node: [...stored.flatMap(({ nodes }) => nodes), ...graph.nodes.map(encodeNode)],
    }),
  });
  return toBinary(ModelProtoSchema, model);
}

/** A constant as it lies in the file, and what makes it float32 again; runtimes do that once, as they load it. */
interface Stored {
  readonly tensors: TensorProto[];
  readonly nodes: NodeProto[];
}

function store(constant: Constant, precision: Precision): Stored {
  const { name, shape, data, role } = constant;
  if (data instanceof BigInt64Array) return { tensors: [encodeTensor(name, shape, data)], nodes: [] };
  if (precision === 'float32' || role === 'exact') {
    return { tensors: [encodeTensor(name, shape, data)], nodes: [] };
  }
  const [narrow, wide] = [`${name}_${precision}`, `${name}_wide`];
  const cast = (output: string) =>
    encodeNode({ operator: 'Cast', inputs: [narrow], output, attributes: { to: DataType.FLOAT } });
  if (precision === 'half' || role === 'table') {
    return { tensors: [encodeTensor(narrow, shape, Uint16Array.from(data, toHalf))], nodes: [cast(name)] };
  }
  const { values, scales } = quantize(data, shape[0]);
  const scaleName = `${name}_scale`;
  return {
    tensors: [
      encodeTensor(narrow, shape, values),
      encodeTensor(scaleName, [shape[0], ...shape.slice(1).map(() => 1)], scales),
    ],
    nodes: [
      cast(wide),
      encodeNode({ operator: 'Mul', inputs: [wide, scaleName], output: name, attributes: {} }),
    ],
  };
}

/** Rows of nothing but zeros and numbers near it have this one; smaller ones lose digits of their own. */
const SMALLEST_SCALE = 2 ** -100;

/** Each row as whole numbers −127…127 times a scale. */
export function quantize(data: Float32Array, rows: number): { values: Int8Array; scales: Float32Array } {
  const length = data.length / rows;
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const numbers = data.subarray(row * length, (row + 1) * length);
    const greatest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    scales[row] = Math.max(greatest / 127, SMALLEST_SCALE);
    numbers.forEach((value, i) => {
      values[row * length + i] = Math.round(value / scales[row]);
    });
  }
  return { values, scales };
}

const ELEMENT_TYPES: Record<ElementType, DataType> = { uint8: DataType.UINT8, float32: DataType.FLOAT };

function encodePort({ name, type, shape }: Port): ValueInfoProto {
  const dimensions = [
    { value: { case: 'dimParam', value: 'N' } } as const,
    ...shape.map((length) => ({ value: { case: 'dimValue', value: BigInt(length) } }) as const),
  ];
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: { case: 'tensorType', value: { elemType: ELEMENT_TYPES[type], shape: { dim: dimensions } } },
    },
  });
}

function encodeNode({
  operator,
  inputs,
  output,
  attributes,
}: Omit<Node, 'inputs' | 'output'> & { inputs: readonly string[]; output: string }): NodeProto {
  return create(NodeProtoSchema, {
    name: output,
    opType: operator,
    input: [...inputs],
    output: [output],
    attribute: Object.entries(attributes).map(([name, value]) => encodeAttribute(name, value)),
  });
}

/** Whole numbers; no operator here has others. */
function encodeAttribute(name: string, value: Attribute): AttributeProto {
  return typeof value === 'number'
    ? create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) })
    : create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

/** 16-bit arrays hold half-precision numbers. */
function encodeTensor(
  name: string,
  shape: readonly number[],
  data: Float32Array | BigInt64Array | Int8Array | Uint16Array,
): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: dataTypeOf(data),
    rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength), // little-endian, as all hosts here
  });
}

function dataTypeOf(data: ArrayBufferView): DataType {
  if (data instanceof Float32Array) return DataType.FLOAT;
  if (data instanceof BigInt64Array) return DataType.INT64;
  return data instanceof Int8Array ? DataType.INT8 : DataType.FLOAT16;
}
