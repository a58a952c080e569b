// npm run soak:distributed: training in several processes under the launchers that are installed here, with what goes wrong
// there, and on hosts apart: two network namespaces with a cable between them, which needs Linux and root. Slurm is in
// slurm.soak.ts.
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun } from '../../src/runs/index.js';
import { MAIN, ranksOf, type Started, until } from '../support/processes.js';
import { type ShortTraining, shortTraining, trainArguments } from '../support/short-training.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-distributed-'));
let training: ShortTraining;
beforeAll(async () => {
  training = await shortTraining(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));
const run = (command: readonly string[], env?: Record<string, string>): Started => training.run(command, env);

const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const skip = (what: string) => console.warn(`skipped: ${what}`);

const torchrun = (restarts: number, ...args: string[]) => [
  ...['torchrun', '--no_python', '--nnodes=1', '--nproc_per_node=2', `--max_restarts=${restarts}`],
  // -r and -t: without them PyTorch 1.13's fails on Python 3.11
  ...['--monitor_interval=0.5', '-r', '1', '-t', '2', '--log_dir', folder, ...args, process.execPath, MAIN],
];
/** The processes below another one, at any depth, by their rank. */
function workersOf(pid: number): Map<string, number> {
  const found = ranksOf(pid);
  if (found.size > 0) return found;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  return new Map(children.flatMap((child) => [...workersOf(Number(child))]));
}

describe.skipIf(!has('torchrun'))('torchrun (Debian: python3-torch)', () => {
  it.each([
    ['its own store', ['--rdzv_backend=c10d', '--rdzv_endpoint=127.0.0.1:29801']],
    ['a fixed address', ['--master_addr=127.0.0.1', '--master_port=29802']],
  ])('trains as one process, with %s', async (name, args) => {
    const output = `torchrun-${name.replaceAll(' ', '-')}`;
    const { status, stderr } = await run([...torchrun(0, ...args), ...trainArguments(output, 60)]).end;
    expect(status, stderr).toBe(0);
    training.expectSameAsOne(output);
  });

  it.each([
    ['c10d', '0'],
    ['c10d', '1'],
    ['static', '1'],
  ])('starts anew after a kill and ends with the right result: %s, rank %s', async (backend, rank) => {
    const output = `restarted-${backend}-${rank}`;
    const args =
      backend === 'c10d'
        ? ['--rdzv_backend=c10d', '--rdzv_endpoint=127.0.0.1:29803']
        : ['--master_addr=127.0.0.1', '--master_port=29804'];
    const { child, end } = run([...torchrun(2, ...args), ...trainArguments(output, 20)]);
    await until(() => training.checkpointsOf(output) > 0);
    process.kill(workersOf(child.pid as number).get(rank) as number, 'SIGKILL');
    const { status, stderr } = await end;
    expect(status, stderr).toBe(0);
    training.expectSameAsOne(output);
    expect(readRun(join(folder, output)).record.resumed).toHaveLength(1);
  });
});
if (!has('torchrun')) skip('torchrun is not installed (Debian: python3-torch)');

describe.skipIf(!has('mpirun'))('mpirun (Debian: openmpi-bin)', () => {
  const mpirun = ['mpirun', '--allow-run-as-root', '--oversubscribe', '-np', '2'];

  it('trains as one process', async () => {
    const { status, stderr } = await run([...mpirun, process.execPath, MAIN, ...trainArguments('mpi', 60)])
      .end;
    expect(status, stderr).toBe(0);
    training.expectSameAsOne('mpi');
  });

  it('ends all where one is killed, and the run goes on afterwards', async () => {
    const command = [...mpirun, process.execPath, MAIN, ...trainArguments('mpi-killed', 20), '--resume'];
    const { child, end } = run(command);
    await until(() => training.checkpointsOf('mpi-killed') > 0);
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ');
    process.kill(Number(children.at(-1)), 'SIGKILL');
    expect((await end).status).not.toBe(0);
    const { status, stderr } = await run(command).end;
    expect(status, stderr).toBe(0);
    training.expectSameAsOne('mpi-killed');
  });
});
if (!has('mpirun')) skip('mpirun is not installed (Debian: openmpi-bin)');

const canMakeNetworks = process.getuid?.() === 0 && has('ip');
describe.skipIf(!canMakeNetworks)('two hosts', () => {
  const HOSTS = ['featmatch-a', 'featmatch-b'];
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' });
  const inside = (host: number, ...command: string[]) => ['ip', 'netns', 'exec', HOSTS[host], ...command];
  const remove = () => {
    for (const name of HOSTS) spawnSync('ip', ['netns', 'delete', name]);
  };

  beforeAll(() => {
    remove();
    for (const name of HOSTS) ip('netns', 'add', name);
    ip(
      'link',
      'add',
      'cable0',
      'netns',
      HOSTS[0],
      'type',
      'veth',
      'peer',
      'name',
      'cable1',
      'netns',
      HOSTS[1],
    );
    HOSTS.forEach((name, host) => {
      ip('-n', name, 'address', 'add', `10.99.7.${host + 1}/24`, 'dev', `cable${host}`);
      for (const device of ['lo', `cable${host}`]) ip('-n', name, 'link', 'set', device, 'up');
    });
  });
  afterAll(remove);

  const trainApart = (name: string, timeout: number, port: number, ...args: string[]): Started[] =>
    HOSTS.map((_, host) =>
      run(inside(host, process.execPath, MAIN, ...trainArguments(name, timeout), ...args), {
        RANK: String(host),
        WORLD_SIZE: '2',
        MASTER_ADDR: name.startsWith('far') ? '10.99.8.1' : '10.99.7.1',
        MASTER_PORT: String(port),
      }),
    );

  it('train as one process', async () => {
    for (const { end } of trainApart('apart', 60, 29811)) {
      const { status, stderr } = await end;
      expect(status, stderr).toBe(0);
    }
    training.expectSameAsOne('apart');
  });

  it('train as one process with 20 ms of delay and 1 % of loss', async () => {
    // `tc qdisc add … netem` does the same, where the kernel has it.
    const script = fileURLToPath(new URL('./link.py', import.meta.url));
    const link = run(['python3', script, HOSTS[0], '10.99.8.1/24', HOSTS[1], '10.99.8.2/24', '20', '1']);
    await once(link.child.stdout as NodeJS.ReadableStream, 'data');
    try {
      const started = performance.now();
      for (const { end } of trainApart('far-apart', 60, 29812)) {
        const { status, stderr } = await end;
        expect(status, stderr).toBe(0);
      }
      console.log(`with delay and loss: ${((performance.now() - started) / 1000).toFixed(0)} s in all`);
      training.expectSameAsOne('far-apart');
    } finally {
      link.child.kill();
    }
  });

  it('end in one sentence each within the timeout where the cable is cut, and go on when it is mended', async () => {
    const timeout = 9;
    const processes = trainApart('cut', timeout, 29813);
    await until(() => training.checkpointsOf('cut') > 0);
    ip('-n', HOSTS[0], 'link', 'set', 'cable0', 'down');
    const cut = performance.now();
    const ends = await Promise.all(processes.map(({ end }) => end));
    const seconds = (performance.now() - cut) / 1000;
    console.log(`ended ${seconds.toFixed(1)} s after the cut, with a timeout of ${timeout} s`);
    expect(seconds).toBeLessThan(timeout + 1);
    ends.forEach(({ status, stderr }, rank) => {
      expect(status, stderr).toBe(2);
      const sentences = stderr.split('\n').filter((line) => line.startsWith('featmatch: '));
      expect(sentences).toEqual([
        expect.stringMatching(
          new RegExp(`^featmatch: rank ${rank} cannot go on: rank ${1 - rank} .* has not answered for`),
        ),
      ]);
      expect(stderr).not.toMatch(/\n {4}at /);
    });
    ip('-n', HOSTS[0], 'link', 'set', 'cable0', 'up');
    const again = trainApart('cut', timeout, 29814, '--resume');
    for (const { end } of again) {
      const { status, stderr } = await end;
      expect(status, stderr).toBe(0);
    }
    training.expectSameAsOne('cut');
  });
});
if (!canMakeNetworks) skip('network namespaces need root and iproute2');
