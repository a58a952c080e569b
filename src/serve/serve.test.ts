// Real HTTP, and what comes in from outside.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeExportedModel } from '../../test/support/exported.js';
import { mutate } from '../../test/support/mutations.js';
import { InputError } from '../errors.js';
import { randomStream } from '../image/random.js';
import { loadModel } from '../infer/node/index.js';
import { createApp } from './app.js';
import { isPicture } from './formats.js';
import { createGate } from './gate.js';
import { type RunningServer, startServer } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-serve-'));
const OPTIONS = { host: '127.0.0.1', port: 0, bytes: 100_000, pixels: 1e6, seconds: 2 };
let server: RunningServer;
let photo: Buffer;

beforeAll(async () => {
  await writeExportedModel(folder);
  const create = { width: 40, height: 30, channels: 3 as const, background: '#d04020' };
  photo = await sharp({ create }).png().toBuffer();
  server = await startServer(folder, OPTIONS);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

// biome-ignore lint/suspicious/noExplicitAny: whatever a server answers
type Answer = any;

async function post(path: string, body: Uint8Array | undefined, headers: Record<string, string> = {}) {
  const response = await fetch(server.url + path, {
    method: 'POST',
    body: body as Uint8Array<ArrayBuffer>,
    headers,
  });
  return { status: response.status, body: (await response.json()) as Answer };
}
const get = async (path: string) => (await (await fetch(server.url + path)).json()) as Answer;

describe('a server', () => {
  it('answers as the model does', async () => {
    const model = await loadModel(folder);
    expect(await post('/classify?top=2', photo)).toEqual({
      status: 200,
      body: await model.classify(photo, { top: 2 }),
    });
    const { status, body } = await post('/explain?prototypes=1', photo, { 'Content-Type': 'image/png' });
    const [{ thumbnail: _, ...prototype }] = (await model.explain(photo)).prototypes;
    expect({ status, prototypes: body.prototypes }).toEqual({ status: 200, prototypes: [prototype] });
    await model.close();
  });

  it('tells its health, its model, and what it can', async () => {
    expect(await get('/health')).toEqual({ status: 'ok' });
    expect(await get('/model')).toMatchObject({ classes: ['cat', 'dog', 'owl'], input: { height: 16 } });
    const { openapi, paths } = await get('/openapi.json');
    expect(openapi).toBe('3.0.3');
    expect(Object.keys(paths)).toEqual(['/classify', '/explain', '/model', '/health', '/openapi.json']);
    expect(paths['/explain'].post.parameters).toMatchObject([
      { name: 'top', in: 'query', schema: { type: 'integer', default: 1 } },
      { name: 'prototypes', in: 'query' },
    ]);
    expect(paths['/classify'].post.responses[200].content['application/json'].schema.required).toContain(
      'label',
    );
  });

  it('is reached from this machine alone, at an address that is free', async () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const port = Number(new URL(server.url).port);
    const error = await startServer(folder, { ...OPTIONS, port }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(/^cannot serve on 127\.0\.0\.1, port \d+ \(.*EADDRINUSE/);
  });
});

describe('a server refuses in one sentence, and keeps serving:', () => {
  const refused = async (status: number, sentence: RegExp, answer: ReturnType<typeof post>) => {
    expect(await answer).toEqual({ status, body: { error: expect.stringMatching(sentence) } });
    expect((await post('/classify', photo)).status).toBe(200);
  };

  it('what is no image', async () => {
    await refused(422, /^the image: cannot be read/, post('/classify', Buffer.from('no image')));
    await refused(422, /^the image: cannot be read/, post('/explain', photo.subarray(0, 60)));
    await refused(400, /send the bytes/, post('/classify', undefined));
  });

  it('an image of 30,000 × 30,000 in its header', async () => {
    const huge = Buffer.from(photo);
    huge.writeUInt32BE(30_000, 16);
    huge.writeUInt32BE(30_000, 20);
    await refused(422, /pixel limit|cannot be read/, post('/classify', huge));
    // one that could be decoded, of little more than a million pixels
    const tall = await sharp({ create: { width: 1001, height: 1000, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await refused(422, /pixel limit/, post('/classify', tall));
  });

  it('a drawing, as nothing tells how long it takes', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>';
    await refused(422, /none of JPEG, PNG, WebP, AVIF, GIF, TIFF$/, post('/classify', Buffer.from(svg)));
  });

  it('more bytes than it takes, told before or found out', async () => {
    await refused(413, /more than 100000 bytes/, post('/classify', Buffer.alloc(100_001)));
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    });
    const response = await fetch(`${server.url}/classify`, {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit).catch((reason: unknown) => reason); // the connection may be closed while it sends
    if (response instanceof Response) expect(response.status).toBe(413);
    expect((await post('/classify', photo)).status).toBe(200);
  });

  it('unknown or wrong parameters, and unknown paths', async () => {
    await refused(400, /^top: /, post('/classify?top=0', photo));
    await refused(400, /prototypes/, post('/classify?prototypes=3', photo));
    await refused(404, /there is no POST \/predict; see \/openapi\.json/, post('/predict', photo));
  });

  it('a client that sends slowly, while others are served', async () => {
    const { port } = new URL(server.url);
    const slow = connect(Number(port), '127.0.0.1');
    let answer = '';
    slow.on('data', (data) => {
      answer += data;
    });
    const ended = new Promise((resolve) => slow.on('close', resolve));
    slow.write('POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n');
    const dripping = setInterval(() => slow.write('x'), 200);
    slow.on('error', () => {}); // it is cut off
    expect((await post('/classify', photo)).status).toBe(200);
    const start = performance.now();
    await ended;
    clearInterval(dripping);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - start).toBeLessThan(20_000);
    expect((await post('/classify', photo)).status).toBe(200);
  });

  it('100 damaged images', async () => {
    const jpeg = await sharp(photo).jpeg().toBuffer();
    const webp = await sharp(photo).webp().toBuffer();
    const statuses = new Map<number, number>();
    for (let number = 0; number < 100; number++) {
      const file = mutate([photo, jpeg, webp][number % 3], randomStream(1, number));
      const { status, body } = await post('/classify', file);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status !== 200) expect(body.error).toMatch(/^[^\n]+$/);
    }
    expect([...statuses.keys()].filter((status) => ![200, 400, 422].includes(status))).toEqual([]);
    expect(statuses.get(422)).toBeGreaterThan(20);
    expect((await post('/classify', photo)).status).toBe(200);
  });
});

it('images that take too long are answered in time, and at most four are worked on until they end', async () => {
  const model = await loadModel(folder, { threads: 1 });
  let [running, most, started] = [0, 0, 0];
  const classify = async (image: Uint8Array) => {
    started++;
    most = Math.max(most, ++running);
    try {
      return await model.classify(image);
    } finally {
      running--;
    }
  };
  const seconds = 0.05;
  const app = createApp({ ...model, classify } as typeof model, { bytes: 1e7, seconds });
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  const slow = await sharp({ create: { width: 2500, height: 2000, channels: 3, background: 'red', noise } })
    .webp()
    .toBuffer();
  const ask = (body: Buffer) => app.request('/classify', { method: 'POST', body: new Uint8Array(body) });

  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(slow)));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(503));
  expect(await answers[0].json()).toEqual({ error: 'the image was not classified within 0.05 s' });
  expect((await ask(slow)).status).toBe(503); // all places are taken still
  expect({ most, started }).toEqual({ most: 4, started: 4 });

  while (running > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  while ((await ask(photo)).status === 503) expect(running).toBeLessThanOrEqual(4);
  expect(started).toBeLessThan(20); // who waited too long was let go
  await model.close();
});

it('knows files of pixels by how they begin', async () => {
  for (const format of ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const) {
    expect(isPicture(await sharp(photo).toFormat(format).toBuffer()), format).toBe(true);
  }
  expect(isPicture(new Uint8Array())).toBe(false);
  expect(isPicture(Buffer.from('%PDF-1.7 of some length'))).toBe(false);
});

it('a gate lets few in at a time, in order, and refuses what is too much', async () => {
  const gate = createGate({ atATime: 2, waiting: 2 });
  const ends: (() => void)[] = [];
  const done: number[] = [];
  const all = [0, 1, 2, 3, 4].map((i) =>
    gate(() => new Promise<void>((resolve) => ends.push(resolve))).then(
      () => done.push(i),
      (error: Error) => error.name,
    ),
  );
  expect(await all[4]).toBe('BusyError');
  expect(ends).toHaveLength(2);
  for (let i = 0; i < 4; i++) {
    ends[i]();
    await all[i];
    expect(ends.length).toBeLessThanOrEqual(i + 3);
  }
  expect(done).toEqual([0, 1, 2, 3]);
});
