/**
 * Who started this process together with which others, from the environment variables that launchers set: torchrun,
 * Kubeflow's PyTorchJob and TrainJob, Open MPI, Slurm, and `featmatch train --processes`. Reads nothing but its
 * arguments.
 */
import { InputError } from '../../errors.js';
import type { Rendezvous } from '../../tensor/index.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Of several processes that train together. */
export interface Place {
  /** from 0; the first process writes the run */
  readonly rank: number;
  /** processes in all */
  readonly size: number;
  /** from 0, and how many there are, on this host */
  readonly localRank: number;
  readonly localSize: number;
}

export type Launch = {
  /** how often the launcher started the job anew after a failure */
  readonly restarts: number;
} & (
  | { readonly kind: 'alone' }
  | { readonly kind: 'member'; readonly place: Place; readonly rendezvous: Rendezvous }
  | {
      /** the processes of this host are to be started from here */
      readonly kind: 'spawn';
      readonly processes: number;
      /** this host, from 0, of so many */
      readonly node: number;
      readonly nodes: number;
      /** null where all processes are on this host: any will do */
      readonly rendezvous: Rendezvous | null;
    }
);

/** Set for the processes that featmatch starts itself. */
export const SPAWNED = 'FEATMATCH_SPAWNED';
/** A file for the rendezvous, in place of MASTER_ADDR and MASTER_PORT. */
export const RENDEZVOUS_FILE = 'FEATMATCH_RENDEZVOUS';

/**
 * @param processes what `--processes` says
 * @throws InputError where variables are missing, no numbers, or contradict each other or `--processes`
 */
export function detectLaunch(env: Environment, processes?: number): Launch {
  const launch = fromLauncher(env);
  if (processes === undefined || env[SPAWNED] !== undefined) return launch;
  if (launch.kind !== 'alone') {
    throw new InputError(
      `--processes ${processes} asks for processes of its own, but this one was already started as one of several ` +
        `(${describe(env)}): leave --processes out, or unset these variables`,
    );
  }
  if (processes === 1) return launch;
  return { ...launch, kind: 'spawn', processes, node: 0, nodes: 1, rendezvous: null };
}

function fromLauncher(env: Environment): Launch {
  if (env.TORCHELASTIC_RUN_ID !== undefined) return fromTorchrun(env);
  if (env.LOCAL_RANK === undefined && (has(env, 'PET_NPROC_PER_NODE') || has(env, 'PET_NNODES')))
    return fromTrainJob(env);
  if (has(env, 'RANK') || has(env, 'WORLD_SIZE')) return fromVariables(env);
  if (has(env, 'OMPI_COMM_WORLD_RANK') || has(env, 'OMPI_COMM_WORLD_SIZE')) return fromOpenMpi(env);
  if (has(env, 'SLURM_STEP_NUM_TASKS')) return fromSlurm(env);
  return { kind: 'alone', restarts: restartsOf(env) };
}

/** torchrun, whose own store serves the rendezvous where it says so. */
function fromTorchrun(env: Environment): Launch {
  const restarts = numberOf(env, 'TORCHELASTIC_RESTART_COUNT', 0);
  const isServed = env.TORCHELASTIC_USE_AGENT_STORE === 'True';
  return memberOf(placeOf(env), restarts, () => ({
    ...masterOf(env),
    isServed,
    prefix: `featmatch/${restarts}`,
  }));
}

/** RANK and WORLD_SIZE: PyTorchJob, or whoever sets them by hand. */
function fromVariables(env: Environment): Launch {
  const place = placeOf(env);
  const others = [
    ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE'],
    ['SLURM_PROCID', 'SLURM_STEP_NUM_TASKS'],
  ];
  for (const [rank, size] of others) {
    if (!has(env, rank) || numberOf(env, size, 1) === 1) continue;
    if (numberOf(env, rank) === place.rank && numberOf(env, size) === place.size) continue;
    throw new InputError(
      `RANK=${env.RANK} and WORLD_SIZE=${env.WORLD_SIZE} contradict ${rank}=${env[rank]} and ${size}=${env[size]}: unset RANK and ` +
        'WORLD_SIZE, which were probably set for all processes alike',
    );
  }
  return memberOf(place, restartsOf(env), () => {
    const path = env[RENDEZVOUS_FILE];
    return path === undefined ? masterOf(env) : { kind: 'file', path };
  });
}

/** Trainer's TrainJob (and PyTorchJob with several processes a pod) sets torchrun's options and expects it to start them. */
function fromTrainJob(env: Environment): Launch {
  // One process computes with all processors of its host.
  const isOne = ['auto', 'cpu'].includes(env.PET_NPROC_PER_NODE ?? '');
  const processes = isOne ? 1 : numberOf(env, 'PET_NPROC_PER_NODE', 1);
  // Newer PyTorchJobs count processes in WORLD_SIZE and pods in RANK.
  const nodes = has(env, 'PET_NNODES')
    ? numberOf(env, 'PET_NNODES')
    : Math.max(1, Math.floor(numberOf(env, 'WORLD_SIZE', processes) / processes));
  const node = has(env, 'PET_NODE_RANK') ? numberOf(env, 'PET_NODE_RANK') : numberOf(env, 'RANK', 0);
  if (processes < 1 || nodes < 1) {
    throw new InputError(
      `PET_NPROC_PER_NODE=${env.PET_NPROC_PER_NODE} and PET_NNODES=${env.PET_NNODES} are numbers from 1 on`,
    );
  }
  if (node >= nodes) {
    throw new InputError(
      `PET_NODE_RANK says that this is host ${node}, counted from 0, of PET_NNODES=${nodes} hosts: one of them is wrong`,
    );
  }
  const restarts = restartsOf(env);
  if (nodes === 1) {
    if (processes === 1) return { kind: 'alone', restarts };
    return { kind: 'spawn', restarts, processes, node, nodes, rendezvous: null };
  }
  const prefix = has(env, 'PET_MASTER_ADDR') ? 'PET_' : '';
  return { kind: 'spawn', restarts, processes, node, nodes, rendezvous: masterOf(env, prefix) };
}

function fromOpenMpi(env: Environment): Launch {
  const place = checkedPlace(env, {
    rank: 'OMPI_COMM_WORLD_RANK',
    size: 'OMPI_COMM_WORLD_SIZE',
    localRank: 'OMPI_COMM_WORLD_LOCAL_RANK',
    localSize: 'OMPI_COMM_WORLD_LOCAL_SIZE',
  });
  return memberOf(place, restartsOf(env), () => {
    if (!has(env, 'MASTER_ADDR') && place.localSize < place.size) {
      throw new InputError(
        `mpirun started ${place.size} processes on several hosts and does not tell where the first is: add -x MASTER_ADDR=<its host> to mpirun`,
      );
    }
    const job = env.PMIX_NAMESPACE ?? env.OMPI_MCA_ess_base_jobid ?? '';
    return tcp(env.MASTER_ADDR ?? '127.0.0.1', numberOf(env, 'MASTER_PORT', portOf(job)));
  });
}

function fromSlurm(env: Environment): Launch {
  const localSizes = expandCounts(env.SLURM_STEP_TASKS_PER_NODE ?? '1');
  const localSize = localSizes[numberOf(env, 'SLURM_NODEID', 0)] ?? 1;
  const place = checkedPlace(
    { ...env, 'tasks on this host': String(localSize) },
    {
      rank: 'SLURM_PROCID',
      size: 'SLURM_STEP_NUM_TASKS',
      localRank: 'SLURM_LOCALID',
      localSize: 'tasks on this host',
    },
  );
  return memberOf(place, restartsOf(env), () => {
    const job = `${env.SLURM_JOB_ID}.${env.SLURM_STEP_ID ?? 0}`;
    return tcp(slurmHost(env, place), numberOf(env, 'MASTER_PORT', portOf(job)));
  });
}

/** The host of task 0: a name that need have no address where all are on this host. */
function slurmHost(env: Environment, { size, localSize }: Place): string {
  if (env.MASTER_ADDR) return firstHost(env.MASTER_ADDR);
  if (localSize === size) return '127.0.0.1';
  if (env.SLURM_DISTRIBUTION?.startsWith('arbitrary')) {
    throw new InputError(
      `Slurm started tasks in the order of a list of hosts (SLURM_DISTRIBUTION=${env.SLURM_DISTRIBUTION}) and does not tell where task 0 ` +
        'is: set MASTER_ADDR to its host, the first of the list',
    );
  }
  const hosts = env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST;
  if (hosts === undefined) {
    throw new InputError(
      'Slurm started several tasks but sets no SLURM_STEP_NODELIST: set MASTER_ADDR to the host of task 0',
    );
  }
  return firstHost(hosts);
}

/** The first host of Slurm's list: `gpu[07-09,12],cpu1` → `gpu07`. */
export function firstHost(list: string): string {
  const end = list.search(/,(?![^[]*\])/);
  return (end < 0 ? list : list.slice(0, end)).replace(/\[([^\],-]+)[^\]]*\]/g, '$1');
}

/** Slurm's `2(x3),1` → 2, 2, 2, 1 */
function expandCounts(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, count, times = '1'] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part) ?? [];
    return Array<number>(Number(times)).fill(Number(count));
  });
}

/** A port below those that systems give away by themselves, always the same for a job and seldom that of another. */
function portOf(job: string): number {
  let hash = 0;
  for (const character of job) hash = (hash * 31 + character.charCodeAt(0)) % 18_000;
  return 12_000 + hash;
}

function tcp(host: string, port: number): Rendezvous & { kind: 'tcp' } {
  return { kind: 'tcp', host, port, isServed: false, prefix: 'featmatch' };
}

function masterOf(env: Environment, prefix = ''): Rendezvous & { kind: 'tcp' } {
  const [address, port] = [`${prefix}MASTER_ADDR`, `${prefix}MASTER_PORT`];
  const host = env[address];
  if (host === undefined || !has(env, port)) {
    throw new InputError(
      `several processes are to train together, but ${host === undefined ? address : port} is not set: set ${address} to the host of ` +
        `the first process and ${port} to a free port there, the same for all`,
    );
  }
  return tcp(host, numberOf(env, port));
}

function memberOf(place: Place, restarts: number, rendezvous: () => Rendezvous): Launch {
  if (place.size === 1) return { kind: 'alone', restarts };
  return { kind: 'member', restarts, place, rendezvous: rendezvous() };
}

const NAMES = { rank: 'RANK', size: 'WORLD_SIZE', localRank: 'LOCAL_RANK', localSize: 'LOCAL_WORLD_SIZE' };

const placeOf = (env: Environment) => checkedPlace(env, NAMES);

/** @param names of the variables @throws InputError where they are missing or contradict each other */
function checkedPlace(env: Environment, names: Readonly<Record<keyof Place, string>>): Place {
  for (const [name, other] of [
    [names.rank, names.size],
    [names.size, names.rank],
  ]) {
    if (!has(env, name))
      throw new InputError(
        `${other} is set but ${name} is not: set both, or neither to train in one process alone`,
      );
  }
  const rank = numberOf(env, names.rank);
  const size = numberOf(env, names.size);
  const localRank = numberOf(env, names.localRank, 0);
  const localSize = numberOf(env, names.localSize, localRank + 1);
  const problem = (isWrong: boolean, inner: string, outer: string, what: string) => {
    if (!isWrong) return;
    throw new InputError(`${inner}=${env[inner]} contradicts ${outer}=${env[outer]}: ${what}`);
  };
  problem(
    rank >= size,
    names.rank,
    names.size,
    'ranks count from 0 to one less than the number of processes',
  );
  problem(
    localRank >= localSize,
    names.localRank,
    names.localSize,
    'ranks on a host count from 0 to one less than its processes',
  );
  problem(localSize > size, names.localSize, names.size, 'there are more processes on this host than in all');
  problem(localRank > rank, names.localRank, names.rank, 'the rank on a host is not above that among all');
  return { rank, size, localRank, localSize };
}

function restartsOf(env: Environment): number {
  return numberOf(env, 'TORCHELASTIC_RESTART_COUNT', numberOf(env, 'SLURM_RESTART_COUNT', 0));
}

const has = (env: Environment, name: string) => env[name] !== undefined && env[name] !== '';

/** @throws InputError where it is not a whole number from 0 on, or missing without a default */
function numberOf(env: Environment, name: string, missing?: number): number {
  const text = env[name];
  if ((text === undefined || text === '') && missing !== undefined) return missing;
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text);
  throw new InputError(
    text === undefined
      ? `${name} is not set, and several processes need it to find each other`
      : `${name} is '${text}', and should be a whole number`,
  );
}

/** The variables that tell of other processes. */
function describe(env: Environment): string {
  const names = [
    'RANK',
    'WORLD_SIZE',
    'PET_NNODES',
    'PET_NPROC_PER_NODE',
    'OMPI_COMM_WORLD_SIZE',
    'SLURM_STEP_NUM_TASKS',
  ];
  return names
    .filter((name) => has(env, name))
    .map((name) => `${name}=${env[name]}`)
    .join(', ');
}
