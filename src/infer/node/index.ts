/**
 * Classifies images in Node with an exported model, without the training engine:
 *
 *     const model = await loadModel('runs/…/export');
 *     const { label, confidence } = await model.classify('photo.jpg');
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { FILES, parseManifest } from '../manifest.js';
import { createModel, type Model } from '../model.js';
import { checkGraph, fetchBytes, type ModelFiles, readModelFiles } from '../source.js';
import { decodePixels, type ImageSource } from './decode.js';
import { openSession, type SessionOptions } from './session.js';

export * from '../public.js';
export type { ImageSource } from './decode.js';

export interface LoadOptions extends SessionOptions {
  /** the largest image that is decoded; default 2²⁸ pixels, 16,384² */
  readonly maxPixels?: number;
}

/**
 * Loads an exported model.
 * @param source the folder of model.json and model.onnx, as a path or a file:, http: or https: URL; or their contents
 * @throws {InputError} where the files are missing, damaged or not of one model
 */
export async function loadModel(
  source: string | URL | ModelFiles,
  { threads, maxPixels }: LoadOptions = {},
): Promise<Model<ImageSource>> {
  const { manifest: text, graph, folder } = await readModelFiles(source, { base: currentFolder(), read });
  const manifest = parseManifest(text, folder + FILES.manifest);
  checkGraph(manifest, createHash('sha256').update(graph).digest('hex'), folder);
  const { input } = manifest;
  const decode = (image: ImageSource) => decodePixels(image, { maxPixels });
  const session = await openSession(graph, { threads, input });
  return createModel<ImageSource>({ manifest, session, decode, decodeThumbnails: decodePixels });
}

function currentFolder(): URL {
  return pathToFileURL(`${process.cwd()}/`);
}

/** The bytes that a URL stands for. */
async function read(url: URL): Promise<Uint8Array> {
  return url.protocol === 'file:' ? await readFile(url) : await fetchBytes(url);
}
