/** An HTTP server that classifies images with an exported model. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { InputError } from '../errors.js';
import { loadModel } from '../infer/node/index.js';
import { createApp, type Limits } from './app.js';

export interface ServerOptions extends Limits {
  /** the address to listen on; 127.0.0.1 is for this machine alone */
  readonly host: string;
  /** 0: any that is free */
  readonly port: number;
  /** pixels of an image, by its header */
  readonly pixels: number;
}

export interface RunningServer {
  readonly url: string;
  /** Ends it when what was asked is answered. */
  close(): Promise<void>;
}

const CONNECTIONS = 1000;

/**
 * @param model folder of an exported model
 * @throws {InputError} where the model cannot be loaded, or the address is taken or not to be had
 */
export async function startServer(
  model: string,
  { host, port, pixels, ...limits }: ServerOptions,
): Promise<RunningServer> {
  const loaded = await loadModel(model, { maxPixels: pixels });
  const milliseconds = 1000 * limits.seconds;
  const server = createServer(
    {
      requestTimeout: milliseconds,
      headersTimeout: milliseconds,
      connectionsCheckingInterval: Math.min(1000, milliseconds / 2),
    },
    getRequestListener(createApp(loaded, limits).fetch),
  );
  server.maxConnections = CONNECTIONS;
  try {
    await listen(server, host, port);
  } catch (error) {
    await loaded.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(
      `cannot serve on ${host}, port ${port} (${reason}); choose another --port or --host`,
    );
  }
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      });
      await loaded.close();
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
