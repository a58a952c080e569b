/** The routes of `featmatch serve`. */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type * as z from 'zod';
import { InputError } from '../errors.js';
import type { ImageSource, Model } from '../infer/node/index.js';
import { FORMATS, isPicture } from './formats.js';
import { BusyError, createGate } from './gate.js';
import { classifyQuery, describeServer, explainQuery } from './openapi.js';

export interface Limits {
  /** bytes of a request's body */
  readonly bytes: number;
  /** seconds for a request to arrive, and again for its answer */
  readonly seconds: number;
}

/** Images decoded and classified at a time, and waiting for it. */
const GATE = { atATime: 4, waiting: 64 };

/** A request that is not as /openapi.json says. */
class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** An image took too long. */
class TimeError extends Error {
  override readonly name = 'TimeError';
}

/** @param model loaded with a limit for the pixels of an image */
export function createApp(model: Model<ImageSource>, { bytes, seconds }: Limits): Hono {
  const app = new Hono();
  const gate = createGate(GATE);
  const { classes, input, provenance } = model.manifest;

  /**
   * An answer within the time limit, waiting included. Work that is late goes on, as a decoder cannot be stopped, and
   * keeps its place at the gate until it ends: slow images do not pile up.
   * @throws TimeError
   */
  async function inTime<T>(work: () => Promise<T>): Promise<T> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), 1000 * seconds);
    const answer = gate(async () => {
      late.signal.throwIfAborted(); // nobody waits for it any more
      return await work();
    });
    const lateness = new Promise<never>((_, reject) => {
      const error = new TimeError(`the image was not classified within ${seconds} s`);
      late.signal.addEventListener('abort', () => reject(error));
    });
    try {
      return await Promise.race([answer, lateness]);
    } finally {
      clearTimeout(timer);
    }
  }

  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.get('/model', (context) => context.json({ classes, input, provenance }));
  app.get('/openapi.json', (context) => context.json(describeServer()));

  app.use(
    bodyLimit({
      maxSize: bytes,
      onError: (context) => context.json({ error: `the image has more than ${bytes} bytes` }, 413),
    }),
  );
  app.post('/classify', async (context) => {
    const options = readQuery(context, classifyQuery);
    const image = await readImage(context);
    return context.json(await inTime(() => model.classify(image, options)));
  });
  app.post('/explain', async (context) => {
    const options = readQuery(context, explainQuery);
    const image = await readImage(context);
    const explanation = await inTime(() => model.explain(image, options));
    const prototypes = explanation.prototypes.map(({ thumbnail: _, ...prototype }) => prototype);
    return context.json({ ...explanation, prototypes });
  });

  app.notFound((context) =>
    context.json({ error: `there is no ${context.req.method} ${context.req.path}; see /openapi.json` }, 404),
  );
  app.onError((error, context) => {
    if (error instanceof QueryError) return context.json({ error: error.message }, 400);
    if (error instanceof InputError) return context.json({ error: error.message }, 422);
    if (error instanceof BusyError || error instanceof TimeError) {
      return context.json({ error: error.message }, 503);
    }
    // who went away before the image was there gets no answer
    if ('code' in error && error.code === 'ECONNRESET') return context.body(null, 400);
    process.stderr.write(`${error.stack ?? error}\n`); // a bug, which is no business of whoever asked
    return context.json({ error: 'an error of the server' }, 500);
  });
  return app;
}

/** @throws QueryError */
function readQuery<Schema extends z.ZodType>(context: Context, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(context.req.query());
  if (result.success) return result.data;
  const [{ path, message }] = result.error.issues;
  throw new QueryError([...path.map(String), message].join(': '));
}

/** @throws QueryError where there is none @throws {InputError} where it is not one of {@link FORMATS} */
async function readImage(context: Context): Promise<Uint8Array> {
  const bytes = new Uint8Array(await context.req.arrayBuffer());
  if (bytes.length === 0) throw new QueryError('send the bytes of an image file as the body');
  if (!isPicture(bytes)) throw new InputError(`the image: cannot be read, as it is none of ${FORMATS}`);
  return bytes;
}
