/**
 * The command line as a whole: which commands there are, and how errors end. Only the commands that are named in the
 * arguments are loaded, so that `--help` takes no longer than Node itself.
 */
import { Command, CommanderError } from 'commander';
import { InputError, InterruptedError } from '../errors.js';
import { packageVersion } from '../runs/package.js';
import { EXIT_CODES } from './interruption.js';

interface CommandEntry {
  readonly summary: string;
  /** Adds arguments, options, help and action to the command. */
  load(): Promise<{ define(command: Command): void | Promise<void> }>;
}

const COMMANDS: Record<string, CommandEntry> = {
  demo: {
    summary: 'learn handwritten digits from 40 labeled images, with FeatMatch and without',
    load: () => import('./demo.js'),
  },
  train: {
    summary: 'train a model; everything about it goes into a run folder',
    load: () => import('./train.js'),
  },
  resume: {
    summary: 'go on with a run that was interrupted, as if it had not been',
    load: () => import('./resume.js'),
  },
  sweep: {
    summary: 'train with several seeds and settings from one file, and compare',
    load: () => import('./sweep.js'),
  },
  compare: {
    summary: 'train several algorithms at the same cost, and rank them',
    load: () => import('./compare.js'),
  },
  algorithms: {
    summary: 'list the algorithms: what they do, and what a step costs',
    load: () => import('./algorithms.js'),
  },
  evaluate: {
    summary: 'accuracy of a run on the test images of its data set',
    load: () => import('./evaluate.js'),
  },
  predict: {
    summary: 'classify image files with an exported model, or with a run',
    load: () => import('./predict.js'),
  },
  export: {
    summary: 'write the model of a run as an ONNX file that runs anywhere',
    load: () => import('./export.js'),
  },
  serve: { summary: 'answer over HTTP what is in an image', load: () => import('./serve.js') },
  runs: { summary: 'table of the runs in a folder', load: () => import('./runs.js') },
  report: {
    summary: 'accuracy of runs over their seeds, beside published numbers; or a page about each run',
    load: () => import('./report.js'),
  },
  data: { summary: 'list the known data sets, and get them', load: () => import('./data.js') },
  doctor: { summary: 'what this machine has and lacks for training', load: () => import('./doctor.js') },
};

/** Exit codes: 0 done, 1 a bug or a failure, 2 a mistake in what the user gave, 130 Ctrl-C, 143 SIGTERM. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  // `featmatch runs | head -1` closes the pipe early, which is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    const program = await createProgram(args);
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return reportError(error);
  }
}

async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('featmatch')
    .description('Semi-supervised image classification: learn from few labeled and many unlabeled images.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .configureOutput({ outputError: () => {} }); // reportError prints it
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = program
      .command(name)
      .summary(summary)
      .description(`${capitalize(summary)}.`);
    if (args.includes(name)) await (await load()).define(command);
  }
  return program;
}

/** Prints an error as it deserves, and gives the exit code. */
function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // help or version, printed already
    if (error.code !== 'commander.help') printSentence(commanderSentence(error.message));
    return 2;
  }
  if (error instanceof InputError) {
    printSentence(error.message);
    return 2;
  }
  if (error instanceof InterruptedError) {
    printSentence(error.message);
    return EXIT_CODES[String(error.cause)] ?? 1;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

/** "error: unknown option '--labls'\n(Did you mean --labels?)" as one sentence. */
function commanderSentence(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*?)\?\)$/, '; did you mean $1?')
    .replaceAll('\n', ' ');
}

function printSentence(sentence: string): void {
  process.stderr.write(`featmatch: ${sentence}\n`);
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
