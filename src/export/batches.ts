import { gatherPixels, type ImageSet } from '../data/dataset.js';
import { batchSize, type Outputs, type Session } from '../infer/session.js';

/** What a graph gives for some images of a set, in order and in parts. `start` counts in `indices`. */
export async function* runImages(
  session: Session,
  { images, indices }: { images: ImageSet; indices: Int32Array },
): AsyncGenerator<{ start: number; count: number; outputs: Outputs }> {
  const size = batchSize(images);
  for (let start = 0; start < indices.length; start += size) {
    const part = indices.subarray(start, start + size);
    const outputs = await session.run(gatherPixels(images, part), part.length);
    yield { start, count: part.length, outputs };
  }
}

/** One output for some images of a set, a row for each. */
export async function outputOf(
  session: Session,
  output: keyof Outputs,
  images: { images: ImageSet; indices: Int32Array },
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for await (const { count, outputs } of runImages(session, images)) {
    const values = outputs[output] as Float32Array;
    const length = values.length / count;
    for (let i = 0; i < count; i++) rows.push(values.subarray(i * length, (i + 1) * length));
  }
  return rows;
}
