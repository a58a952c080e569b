// One side of kmeans.mjs. Usage: node kmeans-side.mjs <file of float32> <classes> <points> <dimension> <clusters> <threads>
import { readFileSync } from 'node:fs';
import { kMeans } from '../dist/ssl/featmatch/k-means.js';
import { Generator, setThreads, tensor, tidy } from '../dist/tensor/index.js';

const [classes, points, dimension, clusters, threads] = process.argv.slice(3).map(Number);
const { buffer, byteOffset, byteLength } = readFileSync(process.argv[2]);
const features = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
const generator = new Generator(1);
setThreads(threads);

const inertiaOf = (index) =>
  tidy(() => {
    const rows = features.subarray(index * points * dimension, (index + 1) * points * dimension);
    return kMeans(tensor(rows, [points, dimension]), { clusters, generator }).inertia;
  });
inertiaOf(0); // until it is compiled, and memory is there
const started = performance.now();
let inertia = 0;
for (let index = 0; index < classes; index++) inertia += inertiaOf(index);
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ pointsPerSecond: (classes * points) / seconds, inertia }));
