// Trains on a folder of 2,000 photos of 3000×2000 pixels, twenty of them broken in different ways, and checks that each is
// named once and that memory stays small. Needs about 1 GB of disk and some minutes.
//
//   node test/soak/photos.mjs [--images 2000] [--keep]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const [WIDTH, HEIGHT, BASES, MOST_MEGABYTES] = [3000, 2000, 12, 1500];
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const { values } = parseArgs({
  options: { images: { type: 'string', default: '2000' }, keep: { type: 'boolean', default: false } },
});
const root = mkdtempSync(join(tmpdir(), 'featmatch-photos-'));
const photos = join(root, 'photos');
const put = (path, bytes) => {
  mkdirSync(join(photos, path, '..'), { recursive: true });
  writeFileSync(join(photos, path), bytes);
};

/** A picture that tells its class by its color; encoded once, and told apart by a comment behind it. */
async function picture(number) {
  const isWarm = number % 2 === 0;
  const background = isWarm ? { r: 200, g: 90 + number, b: 40 } : { r: 40, g: 90 + number, b: 200 };
  const circle = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">
    <circle cx="${500 + 170 * number}" cy="1000" r="${400 + 30 * number}" fill="#fff8"/></svg>`;
  return sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background } }).composite([{ input: Buffer.from(circle) }]);
}

const bases = await Promise.all(
  Array.from({ length: BASES }, async (_, number) => (await picture(number)).jpeg({ quality: 70 }).toBuffer()),
);
const count = Number(values.images) - 20;
for (let i = 0; i < count; i++) {
  const [name, part] = [i % 2 === 0 ? 'warm' : 'cold', i < 40 ? 'labeled' : 'unlabeled'];
  const path = part === 'labeled' ? `labeled/${name}/${i}.jpg` : `unlabeled/${i}.jpg`;
  put(path, Buffer.concat([bases[i % BASES], Buffer.from(`photo ${i}`)])); // bytes behind the end are ignored
}
const png = await (await picture(1)).png().toBuffer();
const webp = await (await picture(2)).webp().toBuffer();
const huge = Buffer.from(await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } }).png().toBuffer());
huge.writeUInt32BE(60_000, 16);
huge.writeUInt32BE(60_000, 20);
const cut = (bytes, share) => bytes.subarray(0, Math.floor(bytes.length * share));
const broken = {
  'empty.jpg': '',
  'empty.png': '',
  'text.jpg': 'this is no image',
  'page.png': '<!doctype html><p>404',
  'truncated-half.jpg': cut(bases[0], 0.5),
  'truncated-early.jpg': cut(bases[1], 0.1),
  'truncated-late.jpg': cut(bases[2], 0.9),
  'header-only.jpg': bases[3].subarray(0, 20),
  'truncated.png': cut(png, 0.5),
  'header-only.png': png.subarray(0, 33),
  'truncated.webp': cut(webp, 0.5),
  'header-only.webp': webp.subarray(0, 16),
  'huge-header.png': huge,
  'zeros.jpg': Buffer.alloc(5000),
  'random.webp': Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)),
  'archive.tiff': Buffer.from('PK\u0003\u0004 not a tiff'),
};
const readable = {
  'cmyk.jpg': await (await picture(4)).toColourspace('cmyk').jpeg().toBuffer(),
  'animated.gif': await sharp(Buffer.alloc(64 * 64 * 3 * 4, 90), { raw: { width: 64, height: 256, channels: 3, pageHeight: 64 } }).gif().toBuffer(),
  'a-png.jpg': png,
  'gray16.png': await sharp(Uint16Array.from({ length: 10_000 }, (_, i) => i), { raw: { width: 100, height: 100, channels: 1 } }).toColourspace('grey16').png().toBuffer(),
};
for (const [name, bytes] of Object.entries({ ...broken, ...readable })) put(`unlabeled/${name}`, bytes);

const run = (label) => {
  const started = performance.now();
  const args = ['train', '--data', photos, '--steps', '20', '--output', join(root, label), '--json'];
  const time = join(root, 'peak');
  const { status, stderr, stdout } = spawnSync('/usr/bin/env', ['time', '-f', '%M', '-o', time, process.execPath, cli, ...args], {
    encoding: 'utf8',
    env: { ...process.env, FEATMATCH_DATA: join(root, 'cache') },
  });
  if (status !== 0) throw new Error(`training failed: ${stderr.slice(-2000)}`);
  const megabytes = Number(readFileSync(time, 'utf8')) / 1024;
  const named = stderr.split('\n').filter((line) => line.startsWith('left out: '));
  console.log(`${label}: ${((performance.now() - started) / 1000).toFixed(1)} s, peak ${megabytes.toFixed(0)} MB, ${named.length} files left out`);
  return { named, megabytes, result: JSON.parse(stdout) };
};
const [first, second] = [run('first'), run('second')];
if (!values.keep) rmSync(root, { recursive: true });

const names = first.named.map((line) => line.split(': ')[1]).sort();
const expected = Object.keys(broken).map((name) => `unlabeled/${name}`).sort();
const problems = [
  ...expected.filter((name) => !names.includes(name)).map((name) => `${name} was not named`),
  ...names.filter((name) => !expected.includes(name)).map((name) => `${name} was left out`),
  ...(names.length === new Set(names).size ? [] : ['a file was named twice']),
  ...([first, second].every(({ megabytes }) => megabytes < MOST_MEGABYTES) ? [] : [`more than ${MOST_MEGABYTES} MB`]),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
