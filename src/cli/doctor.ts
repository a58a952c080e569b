/** What this machine has and lacks. Works without libtorch, and is most useful then. */
import type { Command } from 'commander';
import type { EngineInformation } from '../tensor/engine.js';

export function define(command: Command): void {
  command.option('--json', 'print JSON').action(async ({ json }: { json?: true }) => {
    const report = await examine();
    process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : await formatReport(report));
  });
}

interface Libtorch {
  readonly version: string;
  readonly lib: string;
  readonly cuda: boolean;
  readonly source: 'system' | 'LIBTORCH' | 'PyTorch';
}

/** Something that is not there or not in order, and what helps. */
interface Problem {
  readonly what: string;
  readonly remedy: string;
}

interface Report {
  readonly featmatch: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly processors: number;
  readonly memoryBytes: number;
  /** The native add-on, if it can be loaded. */
  readonly engine: EngineInformation | null;
  /** How several processes can train together: gloo, nccl. */
  readonly collectives: readonly string[];
  /** What the add-on is or would be built on. */
  readonly libtorch: Libtorch | null;
  readonly dataSets: readonly { readonly name: string; readonly folder: string | null }[];
  readonly canTrain: boolean;
  readonly problems: readonly Problem[];
}

async function examine(): Promise<Report> {
  const { totalmem } = await import('node:os');
  const { describeMachine } = await import('../runs/environment.js');
  const { packageVersion } = await import('../runs/package.js');
  const engine = await loadEngine();
  const system = await examineSystem(engine !== null);
  const data = await findDataSets();
  const { platform, cpu, processors } = describeMachine(0);
  const { collectives } = await import('../tensor/process-group.js');
  return {
    featmatch: packageVersion(),
    node: process.versions.node,
    platform,
    cpu,
    processors,
    memoryBytes: totalmem(),
    engine,
    collectives: engine === null ? [] : collectives(),
    libtorch: system.libtorch,
    dataSets: data.found,
    canTrain: engine !== null,
    problems: [...system.problems, ...data.problems],
  };
}

/** The engine with the threads that training would use; null where it cannot be loaded. */
async function loadEngine(): Promise<EngineInformation | null> {
  const { engineInformation, setThreads } = await import('../tensor/engine.js');
  const { InputError } = await import('../errors.js');
  try {
    setThreads();
    return engineInformation();
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** Parts of `scripts/`, which are plain JavaScript because set-up needs them before anything is compiled. */
interface Scripts {
  findLibtorch(): Libtorch | undefined;
  readonly HOW_TO_GET_LIBTORCH: string;
  missingPackages(libtorch: Libtorch | undefined, purpose: { forTests: boolean }): { required: string[] };
}

async function examineSystem(
  isEngineLoaded: boolean,
): Promise<{ libtorch: Libtorch | null; problems: Problem[] }> {
  const script = (name: string) => import(new URL(`../../scripts/${name}`, import.meta.url).href);
  const { findLibtorch, HOW_TO_GET_LIBTORCH, missingPackages }: Scripts = {
    ...(await script('libtorch.mjs')),
    ...(await script('system-packages.mjs')),
  };
  let libtorch: Libtorch | undefined;
  const problems: Problem[] = [];
  try {
    libtorch = findLibtorch();
    if (!libtorch) problems.push({ what: 'libtorch is not installed', remedy: HOW_TO_GET_LIBTORCH });
  } catch (error) {
    problems.push({
      what: 'libtorch cannot be used',
      remedy: error instanceof Error ? error.message : String(error),
    });
  }
  const { required } = missingPackages(libtorch, { forTests: false });
  for (const name of required.filter((name) => name !== 'libtorch-dev')) {
    const what = PACKAGES[name] ?? `${name} is not installed, and building the native add-on needs it`;
    problems.push({ what, remedy: `install ${name} (Debian, Ubuntu: apt-get install ${name})` });
  }
  if (libtorch && !isEngineLoaded) {
    const remedy = 'run "npm rebuild featmatch --foreground-scripts" (in a clone: npm run build)';
    problems.push({ what: 'the native add-on is not built, or for another libtorch', remedy });
  }
  return { libtorch: libtorch ?? null, problems };
}

const PACKAGES: Readonly<Record<string, string>> = {
  'libopenblas0-openmp': 'there is no fast BLAS, and training is slow without one',
};

/** Where the data sets are. One that is not here is a problem only if set-up should have installed it. */
async function findDataSets(): Promise<{ found: Report['dataSets']; problems: Problem[] }> {
  const { catalog } = await import('../data/catalog/index.js');
  const { datasetNames } = await import('../data/catalog/names.js');
  const { findDataset, howToGet } = await import('../data/locate.js');
  const found = datasetNames.map((name) => ({ name, folder: findDataset(name) }));
  const problems = found
    .filter(({ name, folder }) => folder === null && catalog[name].installed)
    .map(({ name }) => ({
      what: `the data set ${name} is not here`,
      remedy: `get it by ${howToGet(name)}`,
    }));
  return { found, problems };
}

async function formatReport(report: Report): Promise<string> {
  const [{ painter }, { formatBytes }] = await Promise.all([import('./colors.js'), import('./format.js')]);
  const paint = painter();
  const { engine, libtorch } = report;
  const rows = [
    ['featmatch', report.featmatch],
    ['Node', `${report.node}, ${report.platform}`],
    ['processor', `${report.cpu}, ${report.processors} usable, ${formatBytes(report.memoryBytes)} of memory`],
    ['libtorch', libtorch ? `${libtorch.version} in ${libtorch.lib} (${libtorch.source})` : 'not found'],
    ['engine', engine ? describeEngine(engine) : 'not loaded'],
    ['CUDA', libtorch?.cuda ? 'built in' : 'none'],
    ['processes', report.collectives.join(', ') || 'one alone: build it with libgloo-dev for several'],
    ...report.dataSets.flatMap(({ name, folder }) => (folder === null ? [] : [[name, folder]])),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
  const problems = report.problems.map(({ what, remedy }) => `${paint('yellow', what)}: ${remedy}`);
  const verdict = report.canTrain
    ? paint('green', 'Training works here.')
    : paint('red', 'Training does not work here yet.');
  return `${[...lines, '', ...problems, verdict].join('\n')}\n`;
}

function describeEngine({ version, threads, cpuCapability, oneDnn }: EngineInformation): string {
  return `libtorch ${version}, ${threads} threads, ${cpuCapability}${oneDnn ? ', oneDNN' : ''}`;
}
