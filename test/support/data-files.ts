/** Writers of data files, for tests that need damaged or large ones. */

/** An IDX file of unsigned bytes. */
export function idxFile(shape: readonly number[], data?: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((length, axis) => {
    header.writeUInt32BE(length, 4 + 4 * axis);
  });
  return Buffer.concat([
    header,
    data ??
      Buffer.alloc(
        shape.reduce((a, b) => a * b, 1),
        7,
      ),
  ]);
}

/** A tar archive, with the end mark. */
export function tarFile(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, data]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0, 'latin1');
    header.write(`0000644\0`, 100, 'latin1');
    header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
    header.write('0', 156, 'latin1');
    header.write('ustar\x0000', 257, 'latin1');
    header.write(tarChecksum(header), 148, 'latin1');
    return [header, data, Buffer.alloc(-data.length & 511)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** The checksum field of a tar header. */
export function tarChecksum(header: Uint8Array): string {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  return `${sum.toString(8).padStart(6, '0')}\0 `;
}

/** A batch of CIFAR as Python 2 pickles it, of less than 2³² bytes. */
export function cifarPickle(pixels: Uint8Array, labels: readonly number[]): Buffer {
  const latin1 = (text: string) => Buffer.from(text, 'latin1');
  const int32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  const batches: Buffer[] = [];
  for (let start = 0; start < labels.length; start += 1000) {
    const some = labels.slice(start, start + 1000).flatMap((label) => [0x4b, label]); // K
    batches.push(latin1('('), Buffer.from(some), latin1('e'));
  }
  return Buffer.concat([
    ...[latin1('\x80\x02}q\x01(U\x06labelsq\x02]q\x03'), ...batches],
    latin1(
      'U\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07(K\x01J',
    ),
    ...[
      int32(labels.length),
      latin1('M\x00\x0c\x86cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\x09(K\x03U\x01|NNNJ'),
    ],
    ...[
      int32(-1),
      latin1('J'),
      int32(-1),
      latin1('K\x00tb\x89T'),
      int32(pixels.length),
      pixels,
      latin1('tbu.'),
    ],
  ]);
}

/** An element of a MATLAB file with its tag and padding. */
export function matElement(type: number, content: Uint8Array, length = content.length): Buffer {
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type);
  tag.writeUInt32LE(length, 4);
  return Buffer.concat([tag, content, Buffer.alloc(type === 15 ? 0 : -content.length & 7)]);
}

export interface MatArrayParts {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Uint8Array;
  readonly type?: number;
}

/** An array of a MATLAB file, not compressed. */
export function matArray({ name, shape, values, type = 2 }: MatArrayParts): Buffer {
  const integers = (...numbers: number[]) => Buffer.from(Int32Array.from(numbers).buffer);
  const parts = [
    matElement(6, integers(9, 0)),
    matElement(5, integers(...shape)),
    matElement(1, Buffer.from(name)),
    matElement(type, values),
  ];
  return matElement(14, Buffer.concat(parts));
}

/** The header of a MATLAB file of level 5, little-endian. */
export const MAT_HEADER = Buffer.concat([
  Buffer.alloc(124, ' '),
  Buffer.from([0x00, 0x01]),
  Buffer.from('IM'),
]);
