// npm run soak:distributed: training under Slurm, which is started for it with three hosts that are this one.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun } from '../../src/runs/index.js';
import { MAIN, until } from '../support/processes.js';
import { type ShortTraining, shortTraining, trainArguments } from '../support/short-training.js';
import { HOSTS, type Slurm, startSlurm, whyNoSlurm } from '../support/slurm.js';

const PATIENCE = 600_000; // milliseconds; a job that is queued again begins after half a minute or so
const problem = whyNoSlurm();
if (problem !== null) console.warn(`skipped: ${problem}`);

describe.skipIf(problem !== null)('Slurm (Debian: slurm-wlm, munge)', () => {
  let folder: string;
  let training: ShortTraining;
  let slurm: Slurm;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'featmatch-slurm-'));
    training = await shortTraining(folder);
    slurm = await startSlurm(join(folder, 'slurm'));
  });
  afterAll(async () => {
    await slurm?.stop();
    rmSync(folder, { recursive: true });
  });

  const featmatch = (name: string, timeout = 120) => [
    process.execPath,
    MAIN,
    ...trainArguments(name, timeout),
  ];
  const together = ['--nodes=1', '--ntasks=2'];
  const apart = ['--nodes=2', '--ntasks-per-node=1', `--nodelist=${HOSTS.a},${HOSTS.b}`];
  // These hosts are at a loopback address, unlike those of a cluster.
  const loopback = { GLOO_SOCKET_IFNAME: 'lo' };
  const srun = (args: readonly string[], env: Record<string, string> = {}) =>
    training.run(['srun', ...args], { ...slurm.env, ...env }).end;

  /** Gives a script to sbatch; what it prints is in a file of its name. @returns the number of the job */
  function submit(name: string, script: string, ...options: string[]): string {
    const path = join(folder, `${name}.sh`);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    const common = ['--parsable', `--chdir=${folder}`, `--output=${outputOf(name)}`, '--open-mode=append'];
    return slurm.ask('sbatch', ...common, ...options, path);
  }
  const step = (name: string) => `srun --export=ALL,GLOO_SOCKET_IFNAME=lo ${featmatch(name).join(' ')}`;
  const outputOf = (name: string) => join(folder, `${name}.out`);
  const printedBy = (name: string) => readFileSync(outputOf(name), 'utf8');
  const stateOf = (id: string) => /\bJobState=(\w+)/.exec(slurm.job(id))?.[1];
  async function endsAs(id: string, state: string, name: string): Promise<void> {
    await until(() => !['PENDING', 'RUNNING', 'COMPLETING'].includes(stateOf(id) ?? ''), PATIENCE);
    expect(stateOf(id), printedBy(name)).toBe(state);
  }

  it('two tasks on one host train as one process, by whatever name Slurm knows it', async () => {
    for (const host of [HOSTS.a, HOSTS.nameless]) {
      const { status, stderr } = await srun([...together, `--nodelist=${host}`, ...featmatch(`on-${host}`)]);
      expect(status, stderr).toBe(0);
      training.expectSameAsOne(`on-${host}`);
    }
  });

  it('two hosts train as one process', async () => {
    const { status, stderr } = await srun([...apart, ...featmatch('apart')], loopback);
    expect(status, stderr).toBe(0);
    training.expectSameAsOne('apart');
  });

  it('a first host whose name has no address is named, and MASTER_ADDR helps', async () => {
    const nodes = ['--nodes=2', '--ntasks-per-node=1', `--nodelist=${HOSTS.nameless},${HOSTS.a}`];
    const { status, stderr } = await srun([...nodes, ...featmatch('nameless', 6)], loopback);
    expect(status, stderr).toBe(2);
    expect(stderr).toMatch(
      /^featmatch: the host of the first process, nameless, has no address .*: set MASTER_ADDR/m,
    );
    expect(stderr).not.toMatch(/\n {4}at /);
    const again = await srun([...nodes, ...featmatch('named')], { ...loopback, MASTER_ADDR: '127.0.0.1' });
    expect(again.status, again.stderr).toBe(0);
    training.expectSameAsOne('named');
  });

  it('tasks in the order of a list are refused, and MASTER_ADDR helps', async () => {
    const list = join(folder, 'hosts');
    writeFileSync(list, `${HOSTS.b}\n${HOSTS.a}\n`);
    const command = ['--ntasks=2', '--distribution=arbitrary', ...featmatch('listed')];
    const { status, stderr } = await srun(command, { ...loopback, SLURM_HOSTFILE: list });
    expect(status, stderr).toBe(2);
    expect(
      stderr.match(/^featmatch: Slurm started tasks in the order of a list of hosts .*: set MASTER_ADDR/gm),
    ).toHaveLength(2);
    const again = await srun(command, { ...loopback, SLURM_HOSTFILE: list, MASTER_ADDR: HOSTS.b });
    expect(again.status, again.stderr).toBe(0);
    training.expectSameAsOne('listed');
  });

  it.each([
    [0, 'on one host', together],
    [1, 'on one host', together],
    [1, 'on two hosts', apart],
  ])(
    'rank %i killed, %s: the job ends, and when it is queued again goes on',
    async (rank, where, options) => {
      const name = `killed-${rank}-${where.replaceAll(' ', '-')}`;
      const id = submit(name, step(name), '--requeue', ...options);
      await until(() => training.checkpointsOf(name) > 0, PATIENCE);
      process.kill(slurm.taskOf(id, rank), 'SIGKILL');
      await endsAs(id, 'FAILED', name);
      expect(printedBy(name)).toMatch(
        new RegExp(
          `^featmatch: rank ${1 - rank} cannot go on: rank ${rank} (on|at) .* ended unexpectedly`,
          'm',
        ),
      );
      slurm.ask('scontrol', 'requeue', id);
      await endsAs(id, 'COMPLETED', name);
      expectOneRestart(id, name);
    },
  );

  it('a job that is queued again while it runs saves, and goes on', async () => {
    const id = submit('requeued', step('requeued'), '--requeue', ...together);
    await until(() => training.checkpointsOf('requeued') > 0, PATIENCE);
    slurm.ask('scontrol', 'requeue', id);
    await endsAs(id, 'COMPLETED', 'requeued');
    expectOneRestart(id, 'requeued');
  });

  it('a job whose rank 0 was killed and that is queued again on another host asks for the lock', async () => {
    const id = submit('moved', step('moved'), '--requeue', ...together, `--nodelist=${HOSTS.a}`);
    await until(() => training.checkpointsOf('moved') > 0, PATIENCE);
    process.kill(slurm.taskOf(id, 0), 'SIGKILL');
    await endsAs(id, 'FAILED', 'moved');
    slurm.ask('scontrol', 'requeuehold', id);
    await until(() => stateOf(id) === 'PENDING', PATIENCE);
    slurm.ask('scontrol', 'update', `jobid=${id}`, `reqnodelist=${HOSTS.b}`);
    slurm.ask('scontrol', 'release', id);
    await endsAs(id, 'FAILED', 'moved');
    expect(printedBy('moved')).toMatch(
      /^featmatch: process \d+ on node-a works in moved .*delete moved\/lock\.json/m,
    );
    rmSync(join(folder, 'moved', 'lock.json'));
    slurm.ask('scontrol', 'requeue', id);
    await endsAs(id, 'COMPLETED', 'moved');
    training.expectSameAsOne('moved');
  });

  function expectOneRestart(id: string, name: string): void {
    expect(slurm.job(id)).toMatch(/ Restarts=1 /);
    training.expectSameAsOne(name);
    expect(readRun(join(folder, name)).record.resumed).toHaveLength(1);
  }

  it('a batch script is alone, and srun in it is not', async () => {
    const id = submit('batch', `${featmatch('alone').join(' ')} && ${step('together')}`, ...apart);
    await endsAs(id, 'COMPLETED', 'batch');
    for (const [name, processes] of [
      ['alone', 1],
      ['together', 2],
    ] as const) {
      training.expectSameAsOne(name);
      expect(readRun(join(folder, name)).record.machine.processes).toBe(processes);
    }
  });
});
