import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors.js';
import { detectLaunch, type Environment, firstHost } from './launcher.js';

const torchrun = {
  RANK: '3',
  WORLD_SIZE: '4',
  LOCAL_RANK: '1',
  LOCAL_WORLD_SIZE: '2',
  MASTER_ADDR: 'host-a',
  MASTER_PORT: '29500',
  TORCHELASTIC_RUN_ID: 'none',
  TORCHELASTIC_RESTART_COUNT: '2',
  TORCHELASTIC_USE_AGENT_STORE: 'False',
};
const tcp = (host: string, port: number) => ({
  kind: 'tcp',
  host,
  port,
  isServed: false,
  prefix: 'featmatch',
});

function refusal(env: Environment, processes?: number): string {
  try {
    detectLaunch(env, processes);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

describe('a process that nobody started with others', () => {
  it('is alone', () => {
    expect(detectLaunch({ PATH: '/bin', HOME: '/root' })).toEqual({ kind: 'alone', restarts: 0 });
    expect(detectLaunch({}, 1)).toEqual({ kind: 'alone', restarts: 0 });
  });

  it('is alone in an allocation or a batch script of Slurm, which are no step', () => {
    const batch = { SLURM_JOB_ID: '7', SLURM_NTASKS: '4', SLURM_PROCID: '0', SLURM_NODELIST: 'a,b' };
    expect(detectLaunch(batch).kind).toBe('alone');
  });

  it('starts others where it is told to', () => {
    expect(detectLaunch({}, 3)).toEqual({
      kind: 'spawn',
      processes: 3,
      node: 0,
      nodes: 1,
      rendezvous: null,
      restarts: 0,
    });
  });
});

describe('torchrun', () => {
  it('gives ranks, where the first process is, and which start it is', () => {
    expect(detectLaunch(torchrun)).toEqual({
      kind: 'member',
      place: { rank: 3, size: 4, localRank: 1, localSize: 2 },
      rendezvous: { ...tcp('host-a', 29500), prefix: 'featmatch/2' },
      restarts: 2,
    });
  });

  it('may serve the rendezvous itself', () => {
    const { rendezvous } = detectLaunch({ ...torchrun, TORCHELASTIC_USE_AGENT_STORE: 'True' }) as {
      rendezvous: unknown;
    };
    expect(rendezvous).toMatchObject({ isServed: true, prefix: 'featmatch/2' });
  });

  it('counts before whatever else is set around it', () => {
    const slurm = { SLURM_STEP_NUM_TASKS: '2', SLURM_PROCID: '1', SLURM_STEP_NODELIST: 'a,b' };
    const trainJob = { PET_NNODES: '2', PET_NPROC_PER_NODE: '2', PET_NODE_RANK: '1' };
    expect(detectLaunch({ ...slurm, ...trainJob, ...torchrun })).toEqual(detectLaunch(torchrun));
  });

  it('with one process is as nothing', () => {
    const one = { ...torchrun, RANK: '0', WORLD_SIZE: '1', LOCAL_RANK: '0', LOCAL_WORLD_SIZE: '1' };
    expect(detectLaunch(one)).toEqual({ kind: 'alone', restarts: 2 });
  });
});

describe('Kubeflow', () => {
  const pod = { RANK: '1', WORLD_SIZE: '3', MASTER_ADDR: 'job-master-0', MASTER_PORT: '23456' };

  it('PyTorchJob gives each pod a rank', () => {
    expect(detectLaunch({ ...pod, PYTHONUNBUFFERED: '0' })).toEqual({
      kind: 'member',
      place: { rank: 1, size: 3, localRank: 0, localSize: 1 },
      rendezvous: tcp('job-master-0', 23456),
      restarts: 0,
    });
  });

  it('PyTorchJob with nprocPerNode counts processes in WORLD_SIZE and pods in RANK', () => {
    expect(detectLaunch({ ...pod, WORLD_SIZE: '6', PET_NPROC_PER_NODE: '2' })).toEqual({
      kind: 'spawn',
      processes: 2,
      node: 1,
      nodes: 3,
      rendezvous: tcp('job-master-0', 23456),
      restarts: 0,
    });
  });

  const trainJob = {
    PET_NNODES: '2',
    PET_NPROC_PER_NODE: '4',
    PET_NODE_RANK: '1',
    PET_MASTER_ADDR: 'job-node-0-0.job',
    PET_MASTER_PORT: '29400',
  };

  it('TrainJob leaves it to us to start the processes of a pod', () => {
    expect(detectLaunch(trainJob)).toEqual({
      kind: 'spawn',
      processes: 4,
      node: 1,
      nodes: 2,
      rendezvous: tcp('job-node-0-0.job', 29400),
      restarts: 0,
    });
  });

  it('TrainJob with one process a pod starts one there, which computes with all processors', () => {
    for (const count of ['1', 'auto', 'cpu']) {
      expect(detectLaunch({ ...trainJob, PET_NPROC_PER_NODE: count })).toMatchObject({
        kind: 'spawn',
        processes: 1,
        nodes: 2,
      });
    }
  });

  it('TrainJob with one pod needs no address, and with one process none to start', () => {
    const one = { PET_NNODES: '1', PET_NPROC_PER_NODE: '2', PET_NODE_RANK: '0' };
    expect(detectLaunch(one)).toMatchObject({ kind: 'spawn', processes: 2, rendezvous: null });
    expect(detectLaunch({ ...one, PET_NPROC_PER_NODE: 'auto' }).kind).toBe('alone');
  });

  it('TrainJob that contradicts itself is refused', () => {
    expect(refusal({ ...trainJob, PET_NODE_RANK: '2' })).toMatch(/host 2, counted from 0, of PET_NNODES=2/);
    expect(refusal({ ...trainJob, PET_NPROC_PER_NODE: 'gpu' })).toMatch(/PET_NPROC_PER_NODE is 'gpu'/);
    expect(refusal({ ...trainJob, PET_NPROC_PER_NODE: '0' })).toMatch(/are numbers from 1 on/);
    expect(refusal({ ...trainJob, PET_MASTER_PORT: undefined })).toMatch(/PET_MASTER_PORT is not set/);
  });
});

describe('Slurm', () => {
  const step = {
    SLURM_JOB_ID: '4711',
    SLURM_STEP_ID: '0',
    SLURM_STEP_NUM_TASKS: '5',
    SLURM_STEP_NODELIST: 'gpu[07-08,12]',
    SLURM_STEP_TASKS_PER_NODE: '2(x2),1',
    SLURM_PROCID: '3',
    SLURM_LOCALID: '1',
    SLURM_NODEID: '1',
  };

  it('gives the first host of the list, and a port by the job', () => {
    const launch = detectLaunch(step);
    expect(launch).toMatchObject({
      kind: 'member',
      place: { rank: 3, size: 5, localRank: 1, localSize: 2 },
      rendezvous: { kind: 'tcp', host: 'gpu07' },
    });
    const portOf = (changes: Environment) =>
      (detectLaunch({ ...step, ...changes }) as { rendezvous: { port: number } }).rendezvous.port;
    expect(portOf({})).toBeGreaterThanOrEqual(12_000);
    expect(portOf({})).toBeLessThan(30_000);
    expect(portOf({ SLURM_PROCID: '2', SLURM_LOCALID: '0' })).toBe(portOf({}));
    expect(portOf({ SLURM_JOB_ID: '4712' })).not.toBe(portOf({}));
    expect(portOf({ SLURM_STEP_ID: '1' })).not.toBe(portOf({}));
    expect(portOf({ MASTER_PORT: '1234' })).toBe(1234);
  });

  it('needs no name where all tasks are on one host, which Slurm may know by one of its own', () => {
    const tasks = { SLURM_STEP_NUM_TASKS: '2', SLURM_STEP_TASKS_PER_NODE: '2', SLURM_PROCID: '1' };
    const one = { ...step, ...tasks, SLURM_STEP_NODELIST: 'known-to-slurm', SLURM_NODEID: '0' };
    expect(detectLaunch(one)).toMatchObject({ rendezvous: { host: '127.0.0.1' } });
    expect(detectLaunch({ ...one, MASTER_ADDR: 'host-a' })).toMatchObject({ rendezvous: { host: 'host-a' } });
  });

  it('that puts task 0 anywhere has to be told where it is', () => {
    const anywhere = { ...step, SLURM_DISTRIBUTION: 'arbitrary' };
    expect(refusal(anywhere)).toMatch(/SLURM_DISTRIBUTION=arbitrary.*: set MASTER_ADDR to its host/);
    expect(detectLaunch({ ...anywhere, MASTER_ADDR: 'gpu12' })).toMatchObject({
      rendezvous: { host: 'gpu12' },
    });
    expect(detectLaunch({ ...step, SLURM_DISTRIBUTION: 'cyclic' })).toEqual(detectLaunch(step));
  });

  it('knows a job that was started anew', () => {
    expect(detectLaunch({ ...step, SLURM_RESTART_COUNT: '1' }).restarts).toBe(1);
  });

  it.each([
    ['node1', 'node1'],
    ['a,b,c', 'a'],
    ['gpu[07-09,12],cpu1', 'gpu07'],
    ['gpu[3,5-9]', 'gpu3'],
    ['rack[1-2]-node[03-04],x', 'rack1-node03'],
    ['node-a.b[1-2].c', 'node-a.b1.c'],
  ])('%s begins with %s', (list, first) => {
    expect(firstHost(list)).toBe(first);
  });
});

describe('Open MPI', () => {
  const mpi = {
    OMPI_COMM_WORLD_RANK: '1',
    OMPI_COMM_WORLD_SIZE: '2',
    OMPI_COMM_WORLD_LOCAL_RANK: '1',
    OMPI_COMM_WORLD_LOCAL_SIZE: '2',
    PMIX_NAMESPACE: '123456',
  };

  it('on one host needs no address, and two jobs get other ports', () => {
    const launch = detectLaunch(mpi);
    expect(launch).toMatchObject({
      kind: 'member',
      place: { rank: 1, size: 2, localRank: 1, localSize: 2 },
      rendezvous: { kind: 'tcp', host: '127.0.0.1' },
    });
    expect(detectLaunch({ ...mpi, PMIX_NAMESPACE: '123457' })).not.toEqual(launch);
  });

  it('on several hosts has to be told where the first process is', () => {
    const hosts = { ...mpi, OMPI_COMM_WORLD_LOCAL_RANK: '0', OMPI_COMM_WORLD_LOCAL_SIZE: '1' };
    expect(refusal(hosts)).toMatch(/add -x MASTER_ADDR=<its host> to mpirun/);
    expect(detectLaunch({ ...hosts, MASTER_ADDR: 'a', MASTER_PORT: '7' })).toMatchObject({
      rendezvous: tcp('a', 7),
    });
  });
});

describe('variables that contradict each other', () => {
  const { TORCHELASTIC_RUN_ID: _, ...byHand } = torchrun;

  it.each([
    [{ ...byHand, RANK: undefined }, /WORLD_SIZE is set but RANK is not/],
    [{ RANK: '0' }, /RANK is set but WORLD_SIZE is not/],
    [{ ...byHand, RANK: '4' }, /RANK=4 contradicts WORLD_SIZE=4/],
    [{ ...byHand, RANK: '-1' }, /RANK is '-1', and should be a whole number/],
    [{ ...byHand, WORLD_SIZE: 'two' }, /WORLD_SIZE is 'two'/],
    [{ ...byHand, LOCAL_RANK: '2' }, /LOCAL_RANK=2 contradicts LOCAL_WORLD_SIZE=2/],
    [{ ...byHand, LOCAL_WORLD_SIZE: '5' }, /LOCAL_WORLD_SIZE=5 contradicts WORLD_SIZE=4/],
    [{ ...byHand, RANK: '0' }, /LOCAL_RANK=1 contradicts RANK=0/],
    [{ ...byHand, MASTER_ADDR: undefined }, /MASTER_ADDR is not set: set MASTER_ADDR to the host/],
    [{ ...byHand, MASTER_PORT: '' }, /MASTER_PORT is not set/],
    [{ ...byHand, MASTER_PORT: 'http' }, /MASTER_PORT is 'http'/],
  ])('are one clear error (%#)', (env, sentence) => {
    expect(refusal(env)).toMatch(sentence);
  });

  it('RANK that mpirun or srun handed on to all processes is refused, and one that agrees is not', () => {
    const mpi = { OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_SIZE: '4' };
    const slurm = { SLURM_PROCID: '3', SLURM_STEP_NUM_TASKS: '4' };
    for (const other of [mpi, slurm]) {
      const wrong = { ...byHand, ...other, RANK: '0', LOCAL_RANK: '0' };
      expect(refusal(wrong)).toMatch(/RANK=0 and WORLD_SIZE=4 contradict .*=3 and .*=4: unset RANK/);
      expect(detectLaunch({ ...byHand, ...other }).kind).toBe('member');
    }
  });

  it('--processes inside another launcher is refused, but not in what it started itself', () => {
    expect(refusal(torchrun, 2)).toMatch(/--processes 2 .*\(RANK=3, WORLD_SIZE=4\): leave --processes out/);
    expect(detectLaunch({ ...byHand, FEATMATCH_SPAWNED: '1' }, 4).kind).toBe('member');
  });
});

it('a file can take the place of an address', () => {
  const env = { RANK: '0', WORLD_SIZE: '2', FEATMATCH_RENDEZVOUS: '/shared/job-1' };
  expect(detectLaunch(env)).toMatchObject({ rendezvous: { kind: 'file', path: '/shared/job-1' } });
});
