/**
 * Classifies images in a browser with an exported model, as `featmatch/infer` does in Node:
 *
 *     const model = await loadModel('model/');
 *     const { label, confidence } = await model.classify(file);
 */
import { InputError } from '../../errors.js';
import { FILES, parseManifest } from '../manifest.js';
import { createModel, type Model } from '../model.js';
import { checkGraph, fetchBytes, type ModelFiles, readModelFiles } from '../source.js';
import { decodePixels, type ImageSource } from './decode.js';
import { type Backend, chooseBackend, openSession, type SessionOptions } from './session.js';

export * from '../public.js';
export type { ImageSource } from './decode.js';
export type { Backend } from './session.js';

export interface LoadOptions extends SessionOptions {
  /** the largest image that is decoded; default 2²⁸ pixels, 16,384² */
  readonly maxPixels?: number;
}

/** A model, and what it computes on. */
export type BrowserModel = Model<ImageSource> & { readonly backend: Backend };

/**
 * Loads an exported model, on a page over https: or on this machine: only there a browser computes the hash that tells
 * whether a file is whole.
 * @param source the folder of model.json and model.onnx, as a URL, also a relative one; or their contents
 * @throws {InputError} where the files are missing, damaged or not of one model
 */
export async function loadModel(
  source: string | URL | ModelFiles,
  { maxPixels, backend: wanted, ...options }: LoadOptions = {},
): Promise<BrowserModel> {
  const base = new URL(location.href);
  const { manifest: text, graph, folder } = await readModelFiles(source, { base, read: fetchBytes });
  const manifest = parseManifest(text, folder + FILES.manifest);
  checkGraph(manifest, await sha256(graph), folder);
  const { input } = manifest;
  const decode = (image: ImageSource) => decodePixels(image, { maxPixels });
  const decodeThumbnails = (webp: Uint8Array) => decodePixels(new Blob([webp as Uint8Array<ArrayBuffer>]));
  const backend = wanted ?? (await chooseBackend());
  const session = await openSession(graph, { ...options, backend, input });
  return { ...createModel<ImageSource>({ manifest, session, decode, decodeThumbnails }), backend };
}

/** In hexadecimal. */
async function sha256(bytes: Uint8Array): Promise<string> {
  if (crypto.subtle === undefined) {
    throw new InputError('a model is loaded only by pages over https: or from localhost; use one of these');
  }
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
