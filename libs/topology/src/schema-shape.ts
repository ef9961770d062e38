import { z } from 'zod';
import type { DocumentPath } from './finding.js';

/** The object schema that describes the value at a path; undefined where the schema has no object. */
export function objectSchemaAt(schema: z.ZodType, path: DocumentPath): z.ZodObject | undefined {
  const found = schemaAt(schema, path);
  return found instanceof z.ZodObject ? found : undefined;
}

function schemaAt(schema: z.ZodType, path: DocumentPath): z.ZodType | undefined {
  let current: z.ZodType | undefined = schema;
  for (const part of path) current = current && childOf(unwrapped(current), part);
  return current && unwrapped(current);
}

function childOf(schema: z.ZodType, part: string | number): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, part) ? (schema.shape[part] as z.ZodType) : undefined;
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType;
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  return undefined;
}

/** Behind `optional`, and in a union the member that is an object. */
function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional) return unwrapped(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodUnion) {
    return (schema.options as readonly z.ZodType[]).find((option) => option instanceof z.ZodObject) ?? schema;
  }
  return schema;
}

/** The schema of the values of the record at a path. */
export function recordValueAt(schema: z.ZodType, path: DocumentPath): z.ZodType | undefined {
  const record = schemaAt(schema, path);
  return record instanceof z.ZodRecord ? (record.valueType as z.ZodType) : undefined;
}
