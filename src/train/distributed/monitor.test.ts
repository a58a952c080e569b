import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Monitor, startMonitor } from './monitor.js';

// The first process watches over one that this test plays, on a connection of its own.
describe('a process that watches over the others', () => {
  let monitor: Monitor;
  let socket: Socket;

  beforeEach(async () => {
    monitor = await startMonitor({ rank: 0, silence: 300, address: '127.0.0.1', port: 0 });
    socket = connect(monitor.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
  });

  afterEach(() => {
    socket.destroy();
    monitor.leave();
  });

  const say = (line: string) => new Promise((done) => socket.write(`${line}\n`, done));
  const hello = JSON.stringify({ hello: { rank: 1, hostname: 'host-b' } });
  const leave = JSON.stringify({ leave: true });
  const explained = async () => {
    await sleep(100); // its thread hears of what was said
    return monitor.explain(new Error('a call timed out')).message;
  };
  const NOBODY = /^rank 0 cannot go on: another process did not answer in time, though all of them live/;

  it('names one whose connection is reset', async () => {
    await say(hello);
    socket.resetAndDestroy();
    expect(await explained()).toBe(
      'rank 0 cannot go on: rank 1 on host-b ended unexpectedly (killed, or out of memory)',
    );
  });

  it('does not miss one that has left, however its connection ends', async () => {
    await say(hello);
    await say(leave);
    await sleep(100);
    socket.resetAndDestroy();
    expect(await explained()).toMatch(NOBODY);
  });

  it('names one that falls silent', async () => {
    await say(hello);
    await sleep(600);
    expect(await explained()).toMatch(
      /^rank 0 cannot go on: rank 1 on host-b has not answered for 0\.\d s \(stopped, or cut off from the network\)$/,
    );
  });

  it('hears of a loss that another has noticed', async () => {
    await say(hello);
    await say(JSON.stringify({ lost: { kind: 'failure', sentence: 'rank 2 on host-c failed: no room' } }));
    expect(await explained()).toBe('rank 0 cannot go on: rank 2 on host-c failed: no room');
  });

  it.each(['GET / HTTP/1.1', 'null', '7', ''])('hangs up on a stranger who says %o', async (line) => {
    await say(line);
    await once(socket, 'close');
    expect(await explained()).toMatch(NOBODY);
  });
});
