import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { schemaExamples } from './examples.js';

const named = schemaExamples.map(({ schema, value }) => ({ id: z.globalRegistry.get(schema)?.id ?? 'none', schema, value }));

describe('the examples of schemas', () => {
  it.each(named)('parse to themselves, without a field that the schema does not know: $id', ({ schema, value }) => {
    expect(schema.parse(value)).toEqual(value);
  });

  it('are one for each schema, which has a name in the documentation', () => {
    const ids = named.map(({ id }) => id);

    expect(ids).not.toContain('none');
    expect(new Set(ids).size).toBe(ids.length);
  });
});
