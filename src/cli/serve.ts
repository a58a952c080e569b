import type { Command } from 'commander';
import { parseCount, parsePort } from './arguments.js';

interface ServeOptions {
  model: string;
  host: string;
  port: number;
  maxMegabytes: number;
  maxMegapixels: number;
  timeLimit: number;
}

export function define(command: Command): void {
  command
    .requiredOption('--model <folder>', 'exported model')
    .option('--host <address>', 'address to listen on; 0.0.0.0 lets other machines in', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 = any that is free', parsePort, 8000)
    .option('--max-megabytes <count>', 'largest file', parseCount, 20)
    .option('--max-megapixels <count>', 'largest image', parseCount, 50)
    .option('--time-limit <seconds>', 'for an image to arrive, and again to be classified', parseCount, 30)
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const [{ startServer }, { untilSignal, EXIT_CODES }] = await Promise.all([
    import('../serve/index.js'),
    import('./interruption.js'),
  ]);
  const { model, host, port, maxMegabytes, maxMegapixels, timeLimit } = options;
  const server = await startServer(model, {
    host,
    port,
    bytes: 1e6 * maxMegabytes,
    pixels: 1e6 * maxMegapixels,
    seconds: timeLimit,
  });
  process.stdout.write(
    `serves ${model} on ${server.url}: POST an image to /classify or /explain; /openapi.json tells more\n`,
  );
  const signal = await new Promise<string>((resolve) => {
    untilSignal(resolve);
  });
  await server.close();
  process.exitCode = EXIT_CODES[signal];
}
