import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { topologyJsonSchema } from './schema.js';

describe('docs/topology.schema.json', () => {
  it('is what the schema says; `npm run generate:topology-schema` writes it anew', () => {
    const written: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../../docs/topology.schema.json'), 'utf8'));

    expect(written).toEqual(topologyJsonSchema());
  });
});
