import { gatherPixels, type ImageSet } from '../data/dataset.js';
import { batchSize, type OutputName, type Session } from '../infer/session.js';

/** One output for some images of a set, in order and in parts. `start` counts in `indices`. */
export async function* runImages(
  session: Session,
  output: OutputName,
  { images, indices }: { images: ImageSet; indices: Int32Array },
): AsyncGenerator<{ start: number; count: number; values: Float32Array }> {
  const size = batchSize(images);
  for (let start = 0; start < indices.length; start += size) {
    const part = indices.subarray(start, start + size);
    const outputs = await session.run(gatherPixels(images, part), part.length, [output]);
    yield { start, count: part.length, values: outputs[output] as Float32Array };
  }
}

/** One output for some images of a set, a row for each. */
export async function outputOf(
  session: Session,
  output: OutputName,
  images: { images: ImageSet; indices: Int32Array },
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for await (const { count, values } of runImages(session, output, images)) {
    const length = values.length / count;
    for (let i = 0; i < count; i++) rows.push(values.subarray(i * length, (i + 1) * length));
  }
  return rows;
}
