/**
 * A thread that watches over the other processes, as the main thread may wait inside the engine for one that never
 * answers. Every process is connected with the first one and tells it again and again that it lives. Who falls silent,
 * or closes its connection without leaving, is lost; the first process tells the others.
 */
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { parentPort, workerData } from 'node:worker_threads';
import {
  IS_DONE,
  type Loss,
  type Message,
  type MonitorOptions,
  type Order,
  writeVerdict,
} from './monitor-protocol.js';

/** Of another process. */
interface Peer {
  readonly name: string;
  readonly socket: Socket;
  lastHeard: number;
  hasLeft: boolean;
}

const options = workerData as MonitorOptions;
const { rank, hostname, silence, verdict, address, port } = options;
const peers = new Set<Peer>();

function send(socket: Socket, message: Message): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

function lose(loss: Loss, except?: Peer): void {
  if (!writeVerdict(verdict, loss)) return;
  for (const peer of peers) if (peer !== except) send(peer.socket, { lost: loss });
}

function watch(socket: Socket, name?: string): void {
  let peer: Peer | undefined;
  const meet = (other: string) => {
    peer = { name: other, socket, lastHeard: Date.now(), hasLeft: false };
    peers.add(peer);
  };
  if (name !== undefined) meet(name);
  socket.setNoDelay();
  const lines = createInterface(socket);
  lines.on('line', (line) => {
    const message = parse(line);
    if (message === null) return void socket.destroy();
    if ('hello' in message) meet(`rank ${message.hello.rank} on ${message.hello.hostname}`);
    if (peer === undefined) return;
    peer.lastHeard = Date.now();
    if ('leave' in message) peer.hasLeft = true;
    if ('lost' in message) lose(message.lost, peer);
  });
  for (const emitter of [socket, lines]) emitter.on('error', () => {}); // 'close' follows
  socket.on('close', () => {
    if (peer === undefined) return;
    peers.delete(peer);
    if (!peer.hasLeft)
      lose({ kind: 'failure', sentence: `${peer.name} ended unexpectedly (killed, or out of memory)` });
  });
}

/** Null where it is nothing that one of our processes says. */
function parse(line: string): Message | null {
  try {
    const message = JSON.parse(line);
    return typeof message === 'object' ? message : null;
  } catch {
    return null;
  }
}

function beat(): void {
  for (const peer of peers) {
    send(peer.socket, { beat: true });
    const silent = Date.now() - peer.lastHeard;
    if (silent < silence || peer.hasLeft) continue;
    const seconds = (silent / 1000).toFixed(silent < 10_000 ? 1 : 0);
    lose({
      kind: 'failure',
      sentence: `${peer.name} has not answered for ${seconds} s (stopped, or cut off from the network)`,
    });
  }
}

function obey(order: Order): void {
  if (order === 'leave') for (const peer of peers) send(peer.socket, { leave: true });
  else lose({ kind: order.fail.kind, sentence: `rank ${rank} on ${hostname} ${order.fail.sentence}` });
  Atomics.store(verdict.flags, IS_DONE, 1);
  Atomics.notify(verdict.flags, IS_DONE);
}

if (rank === 0) {
  const server = createServer(watch);
  server.listen(0, address, () => parentPort?.postMessage((server.address() as { port: number }).port));
} else {
  const socket = connect(port, address, () => {
    send(socket, { hello: { rank, hostname } });
    parentPort?.postMessage(port);
  });
  watch(socket, `rank 0 at ${address}`);
}
setInterval(beat, Math.min(1000, silence / 4));
parentPort?.on('message', obey);
