import { open } from 'node:fs/promises';
import { ContentError } from '@waybill/oci-model';
import type { z } from 'zod';
import { toContentError } from './storage-error.js';

/** More than a layout has for a reason: tens of thousands of tags. */
const maxBytes = 32 * 1024 * 1024;

/**
 * Reads one of a layout's own files.
 * Rejects with ContentError `not-found`, and with `manifest-invalid` when it is not what `schema` says.
 */
export async function readJsonFile<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
  const text = await readBounded(path);
  const parsed = schema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(`${path} is malformed at /${issue?.path.join('/') ?? ''}: ${issue?.message ?? 'unreadable'}`);
}

async function readBounded(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > maxBytes) throw invalid(`${path} has ${size} bytes, more than the ${maxBytes} allowed`);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    throw toContentError(error, 'read layout');
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`${path} is not JSON`, cause);
  }
}

function invalid(message: string, cause?: unknown): ContentError {
  return new ContentError(message, { code: 'manifest-invalid', operation: 'read layout', cause });
}
