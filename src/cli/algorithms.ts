/** Which algorithms there are, and what a step of each costs. */
import type { Command } from 'commander';
import type { AlgorithmName } from '../config/index.js';
import type { ViewCounts } from '../ssl/index.js';

export function define(command: Command): void {
  command.option('--json', 'print JSON, with citations').action(async ({ json }: { json?: true }) => {
    const list = await listAlgorithms();
    process.stdout.write(json ? `${JSON.stringify(list, null, 2)}\n` : await formatAlgorithms(list));
  });
}

interface Description {
  /** as in `algorithm.name` */
  readonly name: AlgorithmName;
  readonly title: string;
  readonly citation: string;
  /** null of what has no paper */
  readonly year: number | null;
  readonly summary: string;
  /** of an image of a batch, by default */
  readonly views: { readonly labeled: ViewCounts; readonly unlabeled: ViewCounts };
  /** image passes of a step, with the default batch and options (docs/comparisons.md) */
  readonly passesPerStep: number;
}

async function listAlgorithms(): Promise<Description[]> {
  const [{ passesOfStep, resolveConfig }, { algorithmOf, algorithms }] = await Promise.all([
    import('../config/index.js'),
    import('../ssl/index.js'),
  ]);
  return (Object.keys(algorithms) as AlgorithmName[]).map((name) => {
    const config = resolveConfig({ values: { algorithm: { name } } });
    const { title, citation, summary, ...algorithm } = algorithmOf(config.algorithm);
    const year = /\d{4}$/.exec(citation)?.[0];
    return {
      name,
      title,
      citation,
      year: year === undefined ? null : Number(year),
      summary,
      views: algorithm.views(config.algorithm),
      passesPerStep: passesOfStep(config),
    };
  });
}

async function formatAlgorithms(list: readonly Description[]): Promise<string> {
  const { formatTable } = await import('./table.js');
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'name' },
    { title: 'method' },
    { title: 'year', ...right },
    { title: 'labeled' },
    { title: 'unlabeled' },
    { title: 'passes/step', ...right },
    { title: 'idea' },
  ];
  const rows = list.map(({ name, title, year, views, passesPerStep, summary }) => [
    name,
    title,
    String(year ?? '–'),
    formatViews(views.labeled),
    formatViews(views.unlabeled),
    passesPerStep.toFixed(0),
    summary,
  ]);
  return formatTable(columns, rows);
}

/** `1 weak, 2 strong` */
function formatViews({ weak, strong }: ViewCounts): string {
  const kinds = [...(weak > 0 ? [`${weak} weak`] : []), ...(strong > 0 ? [`${strong} strong`] : [])];
  return kinds.join(', ') || '–';
}
