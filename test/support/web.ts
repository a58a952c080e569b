/** A browser, and a server of static files to look at with it. */
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const { findBrowser } = await import(new URL('../../scripts/system-packages.mjs', import.meta.url).href);

/** Undefined where this machine has none. */
export const browserProgram: string | undefined = findBrowser();

/** WebGPU computed by the processor: slow, and there on every machine. */
const SOFTWARE_WEBGPU = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--use-vulkan=swiftshader',
  '--enable-features=Vulkan',
];

/** Starts it without a window. */
export async function openBrowser({ webgpu = false } = {}): Promise<Browser> {
  const executablePath = (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, browserProgram as string))
    .find((path) => existsSync(path));
  return await chromium.launch({
    executablePath,
    args: ['--no-sandbox', ...(webgpu ? SOFTWARE_WEBGPU : [])],
  });
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface StaticServer {
  /** with a slash at the end */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the files of a folder on a free port, with the headers that threads of WebAssembly need. */
export async function serveFolder(folder: string): Promise<StaticServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = join(
      folder,
      pathname.endsWith('/') ? `${pathname}index.html` : decodeURIComponent(pathname),
    );
    const headers = {
      'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    };
    createReadStream(path)
      .on('error', () => response.writeHead(404).end())
      .on('open', () => response.writeHead(200, headers))
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
