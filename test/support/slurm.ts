/** A Slurm of its own for tests: three hosts that are this one, without systemd and cgroups. Needs Linux and root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Started, start, until } from './processes.js';

/** By the names that Slurm has for them; all are at 127.0.0.1, and the first calls itself otherwise. */
export const HOSTS = { nameless: 'nameless', a: 'node-a', b: 'node-b' };
const OWN_NAMES = { ...HOSTS, nameless: 'node-c' };
const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'srun', 'unshare'];
const FIRST_PORT = 29_820;

export interface Slurm {
  /** what its commands need in their environment */
  readonly env: Record<string, string>;
  /** What one of its commands prints, without spaces around it. @throws where it fails */
  ask(command: string, ...args: string[]): string;
  /** A line `Name=value Name=value …` */
  job(id: string): string;
  /** The process number of a task in the first step of a job. */
  taskOf(id: string, rank: number): number;
  stop(): Promise<void>;
}

/** Null where a Slurm can be started here, else why not. */
export function whyNoSlurm(): string | null {
  const missing = PROGRAMS.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  if (missing.length > 0) return `${missing.join(', ')} not installed (Debian: slurm-wlm, munge)`;
  return process.getuid?.() === 0 ? null : 'a Slurm of its own needs root';
}

const configuration = (folder: string) => `
ClusterName=featmatch
SlurmctldHost=${hostname().split('.')[0]}(127.0.0.1)
SlurmctldPort=${FIRST_PORT}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
# A job that is started anew waits until credentials of its first start have expired, by default for two minutes.
AuthInfo=socket=${folder}/munge/socket,cred_expire=5
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MailProg=/bin/true
SlurmdParameters=config_overrides
${Object.values(HOSTS)
  .map((name, i) => `NodeName=${name} NodeAddr=127.0.0.1 Port=${FIRST_PORT + 1 + i} CPUs=2 State=UNKNOWN`)
  .join('\n')}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`;

/** @param folder a new one, for all that the daemons write */
export async function startSlurm(folder: string): Promise<Slurm> {
  const path = (name: string) => join(folder, name);
  for (const name of [folder, path('munge'), path('state')]) mkdirSync(name, { mode: 0o700 });
  writeFileSync(path('munge/key'), randomBytes(128), { mode: 0o400 });
  writeFileSync(path('slurm.conf'), configuration(folder));
  writeFileSync(path('hosts'), `127.0.0.1 localhost ${hostname()} ${Object.values(OWN_NAMES).join(' ')}\n`);
  const env = { SLURM_CONF: path('slurm.conf') };
  const munge = Object.entries({ 'key-file': 'key', socket: 'socket', 'pid-file': 'pid', 'log-file': 'log' });
  const daemons: Started[] = [
    // Forced, since the folders above are not those of a system.
    start([
      ...['munged', '--foreground', '--force', '--num-threads=10', `--seed-file=${path('munge/seed')}`],
      ...munge.map(([option, file]) => `--${option}=${path(`munge/${file}`)}`),
    ]),
    start(['slurmctld', '-D'], { env }),
    // The addresses and its own name are known to slurmd and what it starts, and nowhere else.
    ...Object.entries(HOSTS).map(([key, name]) =>
      start(
        [
          ...['unshare', '--mount', '--uts', 'sh', '-c'],
          `mount --bind hosts /etc/hosts && hostname ${OWN_NAMES[key as keyof typeof HOSTS]} && exec slurmd -D -N ${name}`,
        ],
        { cwd: folder, env },
      ),
    ),
  ];
  const ask = (command: string, ...args: string[]) =>
    execFileSync(command, args, { encoding: 'utf8', env: { ...process.env, ...env }, stdio: 'pipe' }).trim();
  /** Null where it fails, as before the controller answers. */
  const tryTo = (command: string, ...args: string[]) => {
    try {
      return ask(command, ...args);
    } catch {
      return null;
    }
  };
  const stop = async () => {
    tryTo('scancel', '--user=root');
    await until(() => tryTo('squeue', '--noheader') === '').catch(() => {});
    for (const { child, end } of daemons.toReversed()) {
      child.kill();
      await end;
    }
  };
  const areReady = () => {
    const states = tryTo('sinfo', '--noheader', '--Node', '--format=%T')?.split('\n') ?? [];
    return states.length === Object.keys(HOSTS).length && states.every((state) => state === 'idle');
  };
  try {
    await until(areReady);
  } catch (error) {
    await stop();
    const said = await Promise.all(daemons.map(({ end }) => end));
    throw new Error(said.map(({ stderr }) => stderr).join('\n'), { cause: error });
  }
  return {
    env,
    ask,
    job: (id) => ask('scontrol', '--oneliner', 'show', 'job', id),
    taskOf(id, rank) {
      for (const host of Object.values(HOSTS)) {
        // PID JOBID STEPID LOCALID GLOBALID
        const lines = tryTo('scontrol', 'listpids', `${id}.0`, host)?.split('\n') ?? [];
        for (const line of lines) {
          const [processId, , , , global] = line.trim().split(/\s+/);
          if (global === String(rank)) return Number(processId);
        }
      }
      throw new Error(`task ${rank} of job ${id} does not run`);
    },
    stop,
  };
}
