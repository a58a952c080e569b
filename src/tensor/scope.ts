/**
 * Whose tensors are freed when. Garbage collection does not run inside a synchronous loop and does not see native
 * memory, so a tensor belongs to the innermost `tidy` scope and is freed when that ends.
 */
import { type Handle, native } from './native.js';
import type { Tensor } from './tensor.js';

const scopes: Tensor[][] = [];

/** The backstop for tensors that no scope owns: what becomes unreachable is freed when garbage is collected. */
const unreachable = new FinalizationRegistry<{ handle: Handle; bytes: number }>(({ handle, bytes }) => {
  native().dispose(handle);
  native().reportMemory(-bytes);
});

/** Puts a new tensor under the innermost scope; without one, under the garbage collector alone. */
export function register(tensor: Tensor): void {
  const scope = scopes.at(-1);
  if (scope === undefined) {
    leaveToCollector(tensor);
  } else {
    scope.push(tensor);
    tensor.scope = scope;
  }
}

/** Takes a tensor out of its scope: it lives until `dispose()`. Parameters and saved state are kept. */
export function keep<T extends Tensor>(tensor: T): T {
  if (tensor.scope !== null) {
    tensor.scope = null;
    leaveToCollector(tensor);
  }
  return tensor;
}

function leaveToCollector(tensor: Tensor): void {
  const bytes = native().bytes(tensor.handle);
  native().reportMemory(bytes);
  unreachable.register(tensor, { handle: tensor.handle, bytes }, tensor);
}

/** Frees a tensor's memory, whoever owns it. */
export function release(tensor: Tensor): void {
  tensor.scope = null;
  if (unreachable.unregister(tensor) && !tensor.isDisposed)
    native().reportMemory(-native().bytes(tensor.handle));
  native().dispose(tensor.handle);
}

/**
 * Runs `body` and frees every tensor it made, except those in what it returns (alone, or in arrays, maps and plain
 * objects), which move to the enclosing scope. When `body` throws, all of them are freed.
 * @throws Error when `body` is asynchronous: an `await` would leave the scope open for other code's tensors
 */
export function tidy<T>(body: () => T): T {
  const scope: Tensor[] = [];
  scopes.push(scope);
  let result: T;
  try {
    result = body();
    refusePromise(result, 'tidy');
  } catch (error) {
    scopes.pop();
    freeAll(scope);
    throw error;
  }
  scopes.pop();
  forEachTensor(result, (tensor) => {
    if (tensor.scope !== scope) return;
    tensor.scope = null;
    register(tensor);
  });
  freeAll(scope);
  return result;
}

/** @throws Error when a scope's body returned a promise */
export function refusePromise(result: unknown, scopeName: string): void {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== 'function') return;
  (result as Promise<unknown>).then(undefined, () => {}); // its own failure is a consequence of this one
  throw new Error(`${scopeName}() takes a synchronous function: await before it or after it, not inside`);
}

function freeAll(scope: Tensor[]): void {
  for (const tensor of scope) {
    if (tensor.scope === scope) native().dispose(tensor.handle);
  }
}

function forEachTensor(value: unknown, visit: (tensor: Tensor) => void): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (isTensor(value)) {
    visit(value);
  } else if (Array.isArray(value)) {
    for (const item of value) forEachTensor(item, visit);
  } else if (value instanceof Map) {
    for (const item of value.values()) forEachTensor(item, visit);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) forEachTensor(item, visit);
  }
}

function isTensor(value: object): value is Tensor {
  return 'handle' in value && 'dispose' in value;
}
