import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readFixture } from '../../test/support/fixtures.js';
import { InputError } from '../errors.js';
import { type FetchOptions, type FetchProgress, fetchDataset } from './fetch.js';

/** What the publisher serves in these tests, in place of the real files of `mnist`. */
const contents = vi.hoisted(() => ({
  'a.gz': Buffer.from('first file '.repeat(9000)),
  'b.gz': Buffer.from('second'),
  'c.gz': Buffer.from('third'),
  'd.gz': Buffer.from('fourth'),
}));
/** In place of the archive of `emnist-digits`; with files outside of its part. */
const archive = readFixture('data/zip/archive.zip');

vi.mock('./catalog/index.js', async (original) => {
  const { catalog } = await original<typeof import('./catalog/index.js')>();
  const { createHash: hash } = await import('node:crypto');
  const { readFixture: read } = await import('../../test/support/fixtures.js');
  const describeFile = (name: string, body: Buffer) => ({
    name,
    bytes: body.length,
    sha256: hash('sha256').update(body).digest('hex'),
  });
  const baseUrl = 'http://nowhere.invalid/';
  const files = Object.entries(contents).map(([name, body]) => describeFile(name, body));
  const zip = { ...describeFile('archive.zip', read('data/zip/archive.zip')), unpacksTo: 'part' };
  return {
    catalog: {
      ...catalog,
      mnist: { ...catalog.mnist, download: { baseUrl, files } },
      'emnist-digits': { ...catalog['emnist-digits'], download: { baseUrl, files: [zip] } },
      domainnet: {
        ...catalog.domainnet,
        download: {
          baseUrl,
          files: ['real', 'quickdraw', 'infograph'].map((domain, i) => {
            const [file, body] = Object.entries(contents)[i];
            return { ...describeFile(`lists/${file}`, body), domain };
          }),
        },
      },
    },
  };
});

type Handler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** Serves a file as a static web server does, with ranges. */
const serve: Handler = (request, response, body) => {
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  if (range === null) {
    response.writeHead(200).end(body);
  } else if (Number(range[1]) >= body.length) {
    response.writeHead(416).end();
  } else {
    const start = Number(range[1]);
    response.writeHead(206, { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` });
    response.end(body.subarray(start));
  }
};

let folder: string;
let server: Server;
let handle: Handler;
let requests: { file: string; range?: string }[];
let options: FetchOptions;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'featmatch-fetch-'));
  handle = serve;
  requests = [];
  server = createServer((request, response) => {
    const file = (request.url as string).split('/').at(-1) as string;
    requests.push({ file, range: request.headers.range });
    handle(request, response, file === 'archive.zip' ? archive : contents[file as keyof typeof contents]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  options = { folder, baseUrl: `http://127.0.0.1:${port}/`, stallSeconds: 5 };
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const complete = (): string[] => readdirSync(folder).filter((name) => !name.endsWith('.part'));
const partOf = (name: string): string => join(folder, `${name}.part`);

async function failure(overrides: Partial<FetchOptions> = {}): Promise<string> {
  const error = await fetchDataset('mnist', { ...options, ...overrides }).then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason as Error,
  );
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe('fetchDataset', () => {
  test('downloads and verifies all files, and returns their folder', async () => {
    expect(await fetchDataset('mnist', options)).toBe(folder);
    expect(readdirSync(folder).sort()).toEqual(['a.gz', 'b.gz', 'c.gz', 'd.gz']);
    for (const [name, body] of Object.entries(contents))
      expect(readFileSync(join(folder, name))).toEqual(body);
  });

  test('reports progress that grows to the file size', async () => {
    const progress: FetchProgress[] = [];
    await fetchDataset('mnist', { ...options, onProgress: (step) => progress.push(step) });
    const ofFirst = progress.filter(({ file }) => file === 'a.gz');
    expect(ofFirst.at(-1)).toEqual({
      file: 'a.gz',
      stage: 'download',
      received: 99_000,
      total: 99_000,
    });
    expect(ofFirst.map(({ received }) => received)).toEqual(
      ofFirst.map(({ received }) => received).sort((a, b) => a - b),
    );
  });

  test('asks for nothing that is already there', async () => {
    await fetchDataset('mnist', options);
    requests = [];
    await fetchDataset('mnist', options);
    expect(requests).toEqual([]);
  });

  test('replaces a file that is not the published one', async () => {
    writeFileSync(join(folder, 'b.gz'), 'sec0nd');
    await fetchDataset('mnist', options);
    expect(readFileSync(join(folder, 'b.gz'), 'utf8')).toBe('second');
  });

  test('continues where an interrupted download ended', async () => {
    writeFileSync(partOf('a.gz'), contents['a.gz'].subarray(0, 40_000));
    await fetchDataset('mnist', options);
    expect(requests[0]).toEqual({ file: 'a.gz', range: 'bytes=40000-' });
    expect(readFileSync(join(folder, 'a.gz'))).toEqual(contents['a.gz']);
  });

  test('starts anew if the server does not know ranges, or the beginning was damaged', async () => {
    writeFileSync(partOf('a.gz'), 'x'.repeat(500));
    await fetchDataset('mnist', options);
    expect(requests.map(({ range }) => range).slice(0, 2)).toEqual(['bytes=500-', undefined]);
    rmSync(join(folder, 'a.gz'));
    writeFileSync(partOf('a.gz'), 'x'.repeat(500));
    handle = (_, response, body) => response.writeHead(200).end(body);
    requests = [];
    await fetchDataset('mnist', options);
    expect(requests).toEqual([{ file: 'a.gz', range: 'bytes=500-' }]);
    expect(readFileSync(join(folder, 'a.gz'))).toEqual(contents['a.gz']);
  });

  test('starts anew from a remainder that is too long', async () => {
    writeFileSync(partOf('b.gz'), 'much too long');
    await fetchDataset('mnist', options);
    expect(readFileSync(join(folder, 'b.gz'), 'utf8')).toBe('second');
  });

  test('refuses a file with another hash and leaves nothing of it', async () => {
    handle = (_, response, body) => response.end(Buffer.alloc(body.length, 'x'));
    const sha256 = createHash('sha256').update(contents['a.gz']).digest('hex');
    expect(await failure()).toMatch(new RegExp(`/a\\.gz: not the published file.*${sha256}`));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('refuses a file that is longer than the published one', async () => {
    handle = (_, response, body) => response.end(Buffer.concat([body, Buffer.alloc(10)]));
    expect(await failure()).toMatch(/not the published file/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('stops reading a response that does not end', async () => {
    let sent = 0;
    handle = (_, response, body) => {
      const send = (): void => {
        while (!response.destroyed && response.write(body)) sent += body.length;
      };
      response.on('drain', () => setImmediate(send));
      send();
    };
    expect(await failure()).toMatch(/not the published file/);
    expect(sent).toBeLessThan(50e6);
  });

  test('waits for a slow server as long as something comes', async () => {
    handle = async (_, response, body) => {
      for (let start = 0; start < body.length; start += 10_000) {
        response.write(body.subarray(start, start + 10_000));
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      response.end();
    };
    await fetchDataset('mnist', { ...options, stallSeconds: 0.3 });
    expect(complete().length).toBe(4);
  });

  test.each([404, 403, 500])('passes on that the server answers %i', async (status) => {
    handle = (_, response) => response.writeHead(status).end('sorry');
    expect(await failure()).toMatch(new RegExp(`/a\\.gz: the server answered ${status}`));
    expect(complete()).toEqual([]);
  });

  test('keeps what it has of a cut connection and continues next time', async () => {
    handle = (_, response, body) => {
      response.writeHead(200, { 'content-length': body.length });
      response.write(body.subarray(0, 30_000));
      setTimeout(() => response.destroy(), 100);
    };
    expect(await failure()).toMatch(/at byte \d+ of 99000\); run the command again to continue/);
    expect(complete()).toEqual([]);
    const kept = readFileSync(partOf('a.gz')).length;
    expect(kept).toBeGreaterThan(0);
    handle = serve;
    requests = [];
    await fetchDataset('mnist', options);
    expect(requests[0].range).toBe(`bytes=${kept}-`);
    expect(readFileSync(join(folder, 'a.gz'))).toEqual(contents['a.gz']);
  });

  test('notices a response that ends early without an error', async () => {
    handle = (_, response, body) => response.end(body.subarray(0, 1000));
    expect(await failure()).toMatch(/the connection ended at byte 1000 of 99000/);
  });

  test('gives up on a server that goes silent', async () => {
    handle = (_, response, body) => {
      response.writeHead(200);
      response.write(body.subarray(0, 1000));
    };
    expect(await failure({ stallSeconds: 0.2 })).toMatch(/no answer for 0.2 s, at byte 1000 of 99000/);
    handle = () => {};
    rmSync(partOf('a.gz'));
    expect(await failure({ stallSeconds: 0.2 })).toMatch(/no answer for 0.2 s/);
  });

  test('says that a server cannot be reached', async () => {
    server.close();
    server.closeAllConnections();
    expect(await failure()).toMatch(/could not be downloaded \(ECONNREFUSED/);
  });

  test('says that the folder cannot be written', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await failure({ folder: join(file, 'sub') })).toMatch(/file\/sub: cannot be written \(ENOTDIR\)/);
    expect(existsSync(join(file, 'sub'))).toBe(false);
  });

  test('knows only the data sets of the catalog', async () => {
    await expect(fetchDataset('imagenet', options)).rejects.toThrow(/unknown data set/);
  });
});

describe('fetchDataset with an archive', () => {
  test('unpacks the part that is wanted, and keeps nothing else', async () => {
    const progress: FetchProgress[] = [];
    await fetchDataset('emnist-digits', { ...options, onProgress: (step) => progress.push(step) });
    expect(readdirSync(folder)).toEqual(['part']);
    expect(readdirSync(join(folder, 'part'), { recursive: true }).sort()).toEqual([
      'a.txt',
      'deep',
      'deep/b.txt',
    ]);
    expect(readFileSync(join(folder, 'part/deep/b.txt'), 'utf8')).toBe('second\n'.repeat(1000));
    expect(progress.at(-1)).toEqual({ file: 'archive.zip', stage: 'unpack', received: 4, total: 4 });
  });

  test('asks for nothing that is unpacked already', async () => {
    await fetchDataset('emnist-digits', options);
    requests = [];
    await fetchDataset('emnist-digits', options);
    expect(requests).toEqual([]);
  });

  test('unpacks anew what was interrupted', async () => {
    mkdirSync(join(folder, 'part.part'));
    writeFileSync(join(folder, 'part.part/left-over'), '');
    writeFileSync(join(folder, 'archive.zip'), archive);
    await fetchDataset('emnist-digits', options);
    expect(requests).toEqual([]);
    expect(readdirSync(join(folder, 'part')).sort()).toEqual(['a.txt', 'deep']);
  });
});

describe('fetchDataset with several domains', () => {
  test('gets those that are usually trained on, without the folders of the server', async () => {
    await fetchDataset('domainnet', options);
    expect(readdirSync(folder).sort()).toEqual(['a.gz', 'b.gz']);
  });

  test('gets those that are asked for', async () => {
    await fetchDataset('domainnet', { ...options, domains: ['infograph', 'real'] });
    expect(readdirSync(folder).sort()).toEqual(['a.gz', 'c.gz']);
  });

  test('refuses others', async () => {
    const fetch = (name: string) => fetchDataset(name, { ...options, domains: ['foto'] });
    await expect(fetch('domainnet')).rejects.toThrow(/there is no domain foto/);
    await expect(fetch('mnist')).rejects.toThrow(/mnist has one domain only/);
    expect(requests).toEqual([]);
  });
});

test('what nobody serves is told how to be got', async () => {
  await expect(fetchDataset('mini-imagenet', options)).rejects.toThrow(
    'mini-imagenet cannot be downloaded: get it by putting it together from ImageNet as docs/data.md describes',
  );
});
