/** The processes that train together, and this one's place among them. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../errors.js';
import {
  announce,
  averageInPlace,
  backwardToMeans,
  broadcastInPlace,
  checkCollectives,
  connectProcesses,
  disconnectProcesses,
  gatherRows,
  isAnnounced,
  isLostContact,
  openStore,
  type Rendezvous,
  sumOverProcesses,
  type Tensor,
  tensor,
  tidy,
  waitForAll,
} from '../../tensor/index.js';
import { addressOf, ownAddress } from './address.js';
import type { Launch, Place } from './launcher.js';
import { type Monitor, startMonitor } from './monitor.js';

/**
 * All processes make the same calls in the same order; each waits for the others.
 * @throws InputError where another process is lost; it names it
 */
export interface World extends Place {
  /** Each of the tensors becomes its mean over all processes. */
  average(tensors: readonly Tensor[]): void;
  /** `loss.backward()`, after which the gradients of the parameters, and the others, are means over all processes. */
  backward(loss: Tensor, parameters: readonly Tensor[], others?: readonly Tensor[]): void;
  /** Rows (N, …) of every process, in their order: (size·N, …), without gradients. */
  gather(rows: Tensor): Tensor;
  /** This process's part (N, …) of rows (size·N, …). */
  own(rows: Tensor): Tensor;
  /** Σ over the processes, differentiable; null where there is one alone. */
  readonly sum: ((x: Tensor) => Tensor) | null;
  /** What the first process has; the others need not give anything. */
  share(bytes: Uint8Array | null): Uint8Array;
  /** The tensor becomes that of the first process. */
  broadcast(tensor: Tensor): void;
  /** Waits for all. */
  wait(): void;
  /** Runs what calls {@link sum}, in whose backward pass another process may be found lost as well. */
  guard<T>(body: () => T): T;
}

/** A world that has to be left. */
export interface JoinedWorld extends World {
  /** Tells the others why this process ends. */
  fail(error: unknown): void;
  /** Waits for the others, and goes. */
  leave(): void;
}

/** One process, which needs nobody. */
export const alone: World = {
  rank: 0,
  size: 1,
  localRank: 0,
  localSize: 1,
  average() {},
  backward: (loss) => loss.backward(),
  gather: (rows) => rows,
  own: (rows) => rows,
  sum: null,
  share: (bytes) => bytes ?? new Uint8Array(),
  broadcast() {},
  wait() {},
  guard: (body) => body(),
};

/**
 * Meets the other processes.
 * @param options.timeout seconds that any of them may keep the others waiting
 * @throws InputError where some of them do not come in time, which it names, or the engine has no collectives
 */
export async function joinWorld(
  { place, rendezvous }: Extract<Launch, { kind: 'member' }>,
  { timeout, useNccl = false }: { timeout: number; useNccl?: boolean },
): Promise<JoinedWorld> {
  checkCollectives();
  const { rank, size, localSize } = place;
  // Together they are within the timeout: noticing that somebody is silent, a call that waits, and asking who it was.
  const group = { rank, size, timeout: Math.round((timeout * 1000 * 2) / 3) };
  const silence = (timeout * 1000) / 4;
  const deadline = Date.now() + timeout * 1000;
  const address = await ownAddress(rendezvous, { isOneHost: localSize === size });
  await reach(rendezvous, rank, deadline);
  openStore(rendezvous, group);
  await meet(rendezvous, place, deadline);
  connectProcesses(group, { address, useNccl });

  let monitor: Monitor | undefined;
  const together = <T>(call: () => T): T => {
    try {
      return call();
    } catch (error) {
      throw isLostContact(error) && monitor !== undefined ? monitor.explain(error) : error;
    }
  };
  const share = (bytes: Uint8Array | null) => together(() => shareBytes(bytes, rank));
  const start = (host: string, port: number) => startMonitor({ rank, silence, address: host, port });
  if (rank === 0) monitor = await start(address, 0);
  const door = rank === 0 ? encode({ host: address, port: monitor?.port }) : null;
  const { host, port } = decode<{ host: string; port: number }>(share(door));
  monitor ??= await start(host, port);
  const watching = monitor;
  return {
    ...place,
    average: (tensors) => together(() => averageInPlace(tensors)),
    backward: (...args) => together(() => backwardToMeans(...args)),
    gather: (rows) => together(() => gatherRows(rows)),
    own: (rows) => rows.narrow(0, (rows.shape[0] / size) * rank, rows.shape[0] / size),
    sum: sumOverProcesses,
    share,
    broadcast: (values) => together(() => broadcastInPlace(values)),
    wait: () => together(waitForAll),
    guard: together,
    fail: (error) => watching.fail(error),
    leave() {
      together(waitForAll);
      watching.leave();
      disconnectProcesses();
    },
  };
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decode = <T>(bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as T;

/** A value that JSON can hold, of the first process. */
export function shareValue<T>(world: World, value: T): T {
  return decode<T>(world.share(encode(value)));
}

function shareBytes(bytes: Uint8Array | null, rank: number): Uint8Array {
  return tidy(() => {
    const length = tensor([rank === 0 ? (bytes?.length ?? 0) : 0], [1], 'int64');
    broadcastInPlace(length);
    const content = tensor(rank === 0 && bytes !== null ? bytes : new Uint8Array(length.item()));
    broadcastInPlace(content);
    return content.data() as Uint8Array;
  });
}

const POLL_MILLISECONDS = 50;

/** Waits until the store of the first process can be reached, or its file is there. */
async function reach(rendezvous: Rendezvous, rank: number, deadline: number): Promise<void> {
  if (rendezvous.kind === 'file') return;
  const { host, port, isServed } = rendezvous;
  if (rank === 0 && !isServed) {
    await addressOf(host); // the store, which is opened here, would wait for a name that nobody knows
    return;
  }
  for (;;) {
    const problem = await tryToConnect(host, port);
    if (problem === null) return;
    if (Date.now() > deadline) {
      throw new InputError(
        `rank ${rank} could not reach the first process at ${host}:${port} (${problem}): check that it runs, MASTER_ADDR, MASTER_PORT and the network`,
      );
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/** Null where it works, else why not. */
function tryToConnect(host: string, port: number): Promise<string | null> {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: 5000 });
    const end = (problem: string | null) => {
      socket.destroy();
      done(problem);
    };
    socket.once('connect', () => end(null));
    socket.once('error', (error) => end(error.message));
    socket.once('timeout', () => end('no answer'));
  });
}

/** Waits until all processes have opened the store. @throws InputError where some do not; it names them */
async function meet(rendezvous: Rendezvous, { rank, size }: Place, deadline: number): Promise<void> {
  const key = (other: number) => `here/${other}`;
  announce(key(rank));
  let missing = Array.from({ length: size }, (_, other) => other);
  for (;;) {
    missing = missing.filter((other) => !isAnnounced(key(other)));
    if (missing.length === 0) return;
    if (Date.now() > deadline) {
      const where = rendezvous.kind === 'tcp' ? `${rendezvous.host}:${rendezvous.port}` : rendezvous.path;
      throw new InputError(
        `of ${size} processes ${missing.length} did not come to ${where} in time: rank ${missing.slice(0, 8).join(', ')}${missing.length > 8 ? ', …' : ''}`,
      );
    }
    await sleep(POLL_MILLISECONDS);
  }
}
