/**
 * The shared memory between the loader and its worker threads: a ring of slots, each with room for one batch. Step s
 * uses slot s mod (number of slots). A slot's state says whose turn it is, so that workers fill slots ahead without
 * asking the main thread, and wait (asleep) when all slots are full.
 */

import { type BatchArrays, type BatchOptions, imagesPerBatch, viewsPerBatch } from './batches.js';
import { imageSize } from './dataset.js';

const NEXT_STEP = 0; // the next step that no worker has taken
const FIRST_STATE = 1; // 2·s: free for step s to be written; 2·s + 1: holds the batch of step s

/** What the threads share; may be posted to a worker. */
export interface BatchRing {
  readonly control: Int32Array;
  readonly slots: readonly BatchArrays[];
}

/** Empty slots for the batches from `startStep` on. */
export function createBatchRing(options: BatchOptions, slotCount: number, startStep: number): BatchRing {
  const control = new Int32Array(new SharedArrayBuffer(4 * (FIRST_STATE + slotCount)));
  control[NEXT_STEP] = startStep;
  for (let step = startStep; step < startStep + slotCount; step++) {
    control[FIRST_STATE + (step % slotCount)] = 2 * step;
  }
  return { control, slots: Array.from({ length: slotCount }, () => createSlot(options)) };
}

function createSlot(options: BatchOptions): BatchArrays {
  const { labeled, unlabeled } = imagesPerBatch(options);
  const pixelBytes = viewsPerBatch(options) * imageSize(options.dataset);
  const integersStart = Math.ceil(pixelBytes / 4) * 4;
  const buffer = new SharedArrayBuffer(integersStart + 4 * (2 * labeled + unlabeled));
  const indicesStart = integersStart + 4 * labeled;
  return {
    pixels: new Uint8Array(buffer, 0, pixelBytes),
    labels: new Int32Array(buffer, integersStart, labeled),
    labeledIndices: new Int32Array(buffer, indicesStart, labeled),
    unlabeledIndices: new Int32Array(buffer, indicesStart + 4 * labeled, unlabeled),
  };
}

/** The slot of a step. */
export function slotOf({ slots }: BatchRing, step: number): BatchArrays {
  return slots[step % slots.length];
}

function stateIndex({ slots }: BatchRing, step: number): number {
  return FIRST_STATE + (step % slots.length);
}

/** Takes the next step that nobody has taken. */
export function takeStep({ control }: BatchRing): number {
  return Atomics.add(control, NEXT_STEP, 1);
}

/** Puts the thread to sleep until the slot of `step` may be written. Not for the main thread. */
export function waitUntilFree(ring: BatchRing, step: number): void {
  const index = stateIndex(ring, step);
  for (;;) {
    const state = Atomics.load(ring.control, index);
    if (state === 2 * step) return;
    Atomics.wait(ring.control, index, state);
  }
}

/** Declares the slot of `step` filled. */
export function markReady(ring: BatchRing, step: number): void {
  Atomics.store(ring.control, stateIndex(ring, step), 2 * step + 1);
}

/** Whether the batch of `step` is complete and not yet released. */
export function isReady(ring: BatchRing, step: number): boolean {
  return Atomics.load(ring.control, stateIndex(ring, step)) === 2 * step + 1;
}

/** Gives the slot of `step` to the step that uses it next, and wakes the worker that waits for it. */
export function markFree(ring: BatchRing, step: number): void {
  const index = stateIndex(ring, step);
  Atomics.store(ring.control, index, 2 * (step + ring.slots.length));
  Atomics.notify(ring.control, index);
}
