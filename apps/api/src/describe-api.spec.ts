import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { OpenAPIObject } from '@nestjs/swagger';
import { loadApiConfig } from '@waybill/config';
import { problemKinds } from '@waybill/contracts/http';
import { silentLogger } from '@waybill/observability';
import { createApi } from './create-api.js';
import { describeApi } from './describe-api.js';

const kept = resolve(import.meta.dirname, '../../../docs/openapi.json');

interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}
interface Content {
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
}
interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly { readonly name: string; readonly description?: string; readonly schema: Schema }[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Readonly<Record<string, unknown>> }>>;
}

/** JSON pointers of the schemas that say nothing of what they are. What is referred to describes itself. */
function undescribed(schema: Schema, pointer: string): string[] {
  if (schema.$ref !== undefined) return [];
  const { properties = {}, items, additionalProperties, anyOf = [], allOf = [] } = schema;
  return [
    ...(schema.description === undefined && allOf.length === 0 ? [pointer] : []),
    ...Object.entries(properties).flatMap(([name, property]) => undescribed(property, `${pointer}/${name}`)),
    ...(items?.properties === undefined ? [] : undescribed(items, `${pointer}/items`)),
    ...(typeof additionalProperties === 'object' && additionalProperties.properties !== undefined
      ? undescribed(additionalProperties, `${pointer}/*`)
      : []),
    ...[...anyOf, ...allOf].flatMap((part, index) => (part.properties === undefined ? [] : undescribed(part, `${pointer}/${index}`))),
  ];
}

describe('the OpenAPI document', () => {
  let app: NestExpressApplication;
  let document: OpenAPIObject;
  let operations: (readonly [string, Operation])[];
  let schemas: Readonly<Record<string, Schema>>;

  beforeAll(async () => {
    app = await createApi(loadApiConfig({ DATABASE_URL: 'postgresql://127.0.0.1/never' }), { logger: silentLogger });
    document = describeApi(app);
    schemas = document.components?.schemas as Readonly<Record<string, Schema>>;
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item as Record<string, Operation>).map(([method, operation]) => [`${method} ${path}`, operation] as const),
    );
  });
  afterAll(() => app.close());

  it('is the one in docs/openapi.json: after a change run npm run generate:openapi', async () => {
    expect(`${JSON.stringify(document, null, 2)}\n`).toBe(await readFile(kept, 'utf8'));
  });

  it('is valid', async () => {
    expect(await new Validator().validate({ ...structuredClone(document) })).toEqual({ valid: true });
  });

  it('is found invalid when it is', async () => {
    const broken = { ...structuredClone(document), paths: { '/x/{id}': { get: { responses: { 200: { description: 7 } } } } } };

    expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
  });

  it('refers only to what is there', () => {
    const referred = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? '');

    expect([...new Set(referred)].sort()).toEqual(Object.keys(schemas).sort());
  });

  it('describes every schema and every field', () => {
    expect(Object.keys(schemas).length).toBeGreaterThan(20);
    expect(Object.entries(schemas).flatMap(([name, schema]) => undescribed(schema, `/${name}`))).toEqual([]);
  });

  it('finds what is not described', () => {
    const schema: Schema = { description: 'whole', properties: { a: {}, b: { description: 'b', items: { properties: {} } } } };

    expect(undescribed(schema, '/X')).toEqual(['/X/a', '/X/b/items']);
  });

  it('says of every operation what it does, for whom, how stable it is, and what its parameters are', () => {
    for (const [name, operation] of operations) {
      expect({ name, operation }).toMatchObject({
        operation: { summary: expect.any(String), 'x-audience': expect.any(String), 'x-stability': expect.any(String) },
      });
      for (const parameter of operation.parameters ?? []) {
        expect({ name, parameter }).toMatchObject({ parameter: { description: expect.stringMatching(/./) } });
      }
    }
    expect(new Set(operations.map(([, { operationId }]) => operationId)).size).toBe(operations.length);
  });

  it.each([
    ['post /api/v1/promotions', '202'],
    ['get /api/v1/promotions', '200'],
    ['get /api/v1/promotions/{id}', '200'],
    ['post /api/v1/promotions/{id}/cancel', '202'],
    ['post /api/v1/promotions/{id}/retry', '202'],
    ['get /api/v1/artifacts', '200'],
    ['get /api/v1/artifacts/{digest}/provenance', '200'],
    ['post /api/v1/pauses', '201'],
    ['post /api/v1/keys', '201'],
    ['put /api/v1/topology', '200'],
  ])('shows examples of what is asked and answered: %s', (name, status) => {
    const operation = operations.find(([one]) => one === name)?.[1] as Operation & { readonly requestBody?: Content };
    const shown = [operation.responses[status] as Content, ...(operation.requestBody === undefined ? [] : [operation.requestBody])];

    expect(shown.length).toBe(name.startsWith('get') ? 1 : 2);
    for (const { content } of shown) {
      const id = content['application/json']?.schema.$ref?.split('/').at(-1) ?? '';
      expect({ id, schema: schemas[id] }).toMatchObject({ schema: { example: expect.any(Object) } });
    }
  });

  it('names only problems of the catalogue, each under its status', () => {
    for (const [, { responses }] of operations) {
      for (const [status, { description, content }] of Object.entries(responses)) {
        if (content?.['application/problem+json'] === undefined) continue;
        for (const code of description.split(', ')) {
          expect({ code, status: String(problemKinds[code as keyof typeof problemKinds].status) }).toEqual({ code, status });
        }
      }
    }
  });
});
