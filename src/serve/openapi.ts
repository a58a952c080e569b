/** What the server takes and gives, as schemas that requests are checked with and that OpenAPI describes. */
import * as z from 'zod';
import { packageVersion } from '../runs/index.js';
import { FORMATS } from './formats.js';

const count = (least: number) => z.coerce.number().int().min(least).max(1000);

export const classifyQuery = z.strictObject({
  top: count(1).default(1).describe('how many of the most probable classes are told'),
});

export const explainQuery = classifyQuery.extend({
  prototypes: count(0).default(5).describe('how many of the prototypes that got most attention are told'),
});

const share = () => z.number().min(0).max(1);

const classification = z.object({
  label: z.string().describe('the most probable class'),
  confidence: share().describe('its probability, calibrated where the model is'),
  outOfDomain: z.boolean().describe('whether the image is unlike those that the model was trained on'),
  similarity: z.number().describe('cosine with the training image that is most like it'),
  classes: z.array(z.object({ label: z.string(), probability: share() })).describe('best first'),
});

const explanation = classification.extend({
  prototypes: z
    .array(
      z.object({
        label: z.string(),
        attention: share(),
        image: z.number().int().describe('index of the training image nearest to it'),
      }),
    )
    .describe('most attention first'),
});

const problem = z.object({ error: z.string().describe('one sentence') });

const json = (schema: z.ZodType, description: string) => ({
  description,
  content: { 'application/json': { schema: z.toJSONSchema(schema, { target: 'openapi-3.0' }) } },
});

const PROBLEMS = {
  400: json(problem, 'a parameter that is unknown or wrong, or no image'),
  408: { description: 'the image did not arrive in time' },
  413: json(problem, 'more bytes than the server takes'),
  422: json(problem, 'no image, a damaged one, or one of too many pixels'),
  503: json(problem, 'too many images at a time, or one that took too long'),
};

function imageOperation(summary: string, query: z.ZodObject, response: z.ZodType) {
  const { properties = {} } = z.toJSONSchema(query, { target: 'openapi-3.0', io: 'input' });
  return {
    post: {
      summary,
      parameters: Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema })),
      requestBody: {
        required: true,
        description: `the bytes of one image file: ${FORMATS}`,
        content: { 'application/octet-stream': {}, 'image/*': {} },
      },
      responses: { 200: json(response, 'what is in it'), ...PROBLEMS },
    },
  };
}

const description = (text: string) => ({ get: { summary: text, responses: { 200: { description: text } } } });

/** The server as OpenAPI 3.0 describes it. */
export function describeServer() {
  return {
    openapi: '3.0.3',
    info: { title: 'featmatch', description: 'Classifies images.', version: packageVersion() },
    paths: {
      '/classify': imageOperation('Classify an image', classifyQuery, classification),
      '/explain': imageOperation(
        'Classify an image and tell what it was compared with',
        explainQuery,
        explanation,
      ),
      '/model': description('Classes, input size and origin of the model'),
      '/health': description('Whether the server answers'),
      '/openapi.json': description('This description'),
    },
  };
}
