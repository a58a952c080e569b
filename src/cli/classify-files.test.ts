import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { type Classifier, classifyFiles, type FileResult } from './classify-files.js';
import type { NamedImage } from './image-files.js';

/** Calls an image by what its path says, and remembers what it was asked. */
function recordingClassifier() {
  const batches: number[] = [];
  let decoding = 0;
  let mostDecoding = 0;
  const classifier: Classifier = {
    async decode(path) {
      mostDecoding = Math.max(mostDecoding, ++decoding);
      await setTimeout(Number(path) % 3); // some overtake others
      decoding--;
      if (path.startsWith('broken')) throw new InputError(`${path}: cannot be read`);
      if (path.startsWith('bug')) throw new TypeError('a bug');
      return { data: new Uint8Array([Number(path) % 256]), height: 1, width: 1, channels: 1 };
    },
    async classify(images) {
      batches.push(images.length);
      return images.map(({ data }) => ({ label: String(data[0]), confidence: 1, classes: [] }));
    },
    async close() {},
  };
  return { classifier, batches, mostDecoding: () => mostDecoding };
}

async function* named(paths: Iterable<string>): AsyncGenerator<NamedImage> {
  for (const path of paths) yield { path };
}

async function collect(results: AsyncIterable<FileResult>): Promise<FileResult[]> {
  const all: FileResult[] = [];
  for await (const result of results) all.push(result);
  return all;
}

describe('classifyFiles', () => {
  it('keeps the order, in batches, with few images decoded at a time', async () => {
    const { classifier, batches, mostDecoding } = recordingClassifier();
    const paths = Array.from({ length: 200 }, (_, i) => String(i));
    const results = await collect(classifyFiles(named(paths), classifier));
    expect(results.map((result) => [result.image, 'label' in result && result.label])).toEqual(
      paths.map((path) => [path, path]),
    );
    expect(batches).toEqual([64, 64, 64, 8]);
    expect(mostDecoding()).toBeLessThanOrEqual(8); // two batches overlap at most
  });

  it('puts an error in the place of what cannot be read', async () => {
    const { classifier } = recordingClassifier();
    const results = await collect(classifyFiles(named(['1', 'broken', '2']), classifier));
    expect(results).toMatchObject([
      { image: '1', label: '1' },
      { image: 'broken', error: 'broken: cannot be read' },
      { image: '2', label: '2' },
    ]);
    expect(await collect(classifyFiles(named([]), classifier))).toEqual([]);
    expect(await collect(classifyFiles(named(['broken']), classifier))).toHaveLength(1);
  });

  it('does not take a bug for a broken image', async () => {
    const { classifier } = recordingClassifier();
    await expect(collect(classifyFiles(named(['1', 'bug']), classifier))).rejects.toThrow(TypeError);
  });

  it('does not wait for a full batch where images come slowly', async () => {
    const { classifier } = recordingClassifier();
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    async function* slowly(): AsyncGenerator<NamedImage> {
      yield { path: '1' };
      await ended;
      yield { path: '2' };
    }
    const results = classifyFiles(slowly(), classifier);
    expect((await results.next()).value).toMatchObject({ image: '1' });
    end();
    expect(await collect(results)).toMatchObject([{ image: '2' }]);
  });

  it('reads no further ahead than a batch', async () => {
    const { classifier } = recordingClassifier();
    let taken = 0;
    async function* counted(): AsyncGenerator<NamedImage> {
      for (; taken < 10_000; taken++) yield { path: String(taken) };
    }
    const results = classifyFiles(counted(), classifier);
    for (let i = 0; i < 65; i++) await results.next();
    await setTimeout(100);
    expect(taken).toBeLessThan(4 * 64);
    await results.return(undefined);
  });
});
