/**
 * Collectives: what processes that train together compute of each other's tensors (c10d of libtorch, by Gloo, and by NCCL
 * on GPUs). All processes make the same calls in the same order, each of which waits for the others. A process is in one
 * group at most.
 *
 * Each throws an Error where another process is gone or does not answer within the group's timeout; then the group is
 * of no more use.
 */
import { InputError } from '../errors.js';
import { native } from './native.js';
import { callTensor, Tensor } from './tensor.js';

/** Where processes find each other. */
export type Rendezvous =
  | {
      /** a store that the first process serves, or its launcher */
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      /** whether the launcher serves it */
      readonly isServed: boolean;
      /** of the keys: another for each start of the same job */
      readonly prefix: string;
    }
  | {
      /** a file that all of them see, which must not exist at first */
      readonly kind: 'file';
      readonly path: string;
    };

export interface GroupPlace {
  /** from 0 */
  readonly rank: number;
  /** processes in all */
  readonly size: number;
  /** milliseconds that any call may wait for the others */
  readonly timeout: number;
}

/** The ways between processes that the engine has: `gloo` for tensors on CPUs, `nccl` for those on GPUs. */
export function collectives(): readonly string[] {
  return native().collectives();
}

/** @throws InputError where the engine was built without them */
export function checkCollectives(): void {
  if (!collectives().includes('gloo')) {
    throw new InputError(
      'several processes cannot train together here, as the native add-on was built without Gloo: install its headers ' +
        '(Debian and Ubuntu: apt-get install libgloo-dev) and run "npm rebuild featmatch" (in a clone: npm run build)',
    );
  }
}

/** Opens the store of a rendezvous. @throws Error where nobody serves it */
export function openStore(rendezvous: Rendezvous, { rank, size, timeout }: GroupPlace): void {
  if (rendezvous.kind === 'file') {
    native().openFileStore(rendezvous.path, size);
  } else {
    const { host, port, isServed, prefix } = rendezvous;
    const seconds = Math.ceil(timeout / 1000); // the store counts whole ones
    native().openTcpStore(host, port, rank === 0 && !isServed, seconds * 1000, prefix);
  }
}

/** Tells in the store that something is there. */
export function announce(key: string): void {
  native().announce(key);
}

/** Whether some process told so. */
export function isAnnounced(key: string): boolean {
  return native().isAnnounced(key);
}

/** Connects the processes, which have all opened the same store. @param address this host's, as the others reach it */
export function connectProcesses(
  { rank, size, timeout }: GroupPlace,
  { address, useNccl = false }: { address: string; useNccl?: boolean },
): void {
  native().connect(rank, size, timeout, address, useNccl);
}

/** Leaves the group. */
export function disconnectProcesses(): void {
  native().disconnect();
}

/** Of buffers, in which tensors go between processes, many in one; all buffers are under way at once. */
export const BUFFER_BYTES = 1e6;

/** Each tensor becomes its mean over all processes. */
export function averageInPlace(tensors: readonly Tensor[]): void {
  native().average(handlesOf(tensors), BUFFER_BYTES);
}

/**
 * `loss.backward()`, after which the gradients of the parameters, and the other tensors, are means over all processes.
 * Those gradients that are there go between the processes while the others are computed. The parameters are in the order of
 * the forward pass, or nearly, and have no gradients before; all processes reach the same of them.
 */
export function backwardToMeans(
  loss: Tensor,
  parameters: readonly Tensor[],
  others: readonly Tensor[] = [],
): void {
  native().backwardToMeans(loss.handle, handlesOf(parameters), handlesOf(others), BUFFER_BYTES);
}

const handlesOf = (tensors: readonly Tensor[]) => tensors.map(({ handle }) => handle);

/** The tensor becomes that of the first process. */
export function broadcastInPlace(tensor: Tensor): void {
  native().broadcast(tensor.handle);
}

/** The rows (N, …) of all processes, in their order: (processes·N, …). No gradient flows through. */
export function gatherRows(rows: Tensor): Tensor {
  return new Tensor(native().gather(rows.handle));
}

/** Whether an error came of another process that is gone or does not answer. */
export function isLostContact(error: unknown): boolean {
  return error instanceof Error && error.message.includes('lost contact with another process');
}

/** Waits until all processes are here. */
export function waitForAll(): void {
  native().barrier();
}

/** Σ_r x_r over all processes, differentiable: a loss of any process reaches the x of all. */
export function sumOverProcesses(x: Tensor): Tensor {
  return callTensor('featmatch::sum_over_processes', x);
}
