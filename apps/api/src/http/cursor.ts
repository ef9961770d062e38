import { z } from 'zod';
import { ApiError } from './api-error.js';

/** What the cursors of a list hold: the key of the last row that was looked at. */
export type CursorKind = 'uuid' | 'number' | 'place' | 'name' | 'decision' | 'tag' | 'digest' | 'placed-digest' | 'found-tag';

const positions: Readonly<Record<CursorKind, z.ZodType<string>>> = {
  uuid: z.guid().lowercase(),
  number: z.string().regex(/^[0-9]{1,18}$/),
  // A registry's id and a repository.
  place: z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12} [a-z0-9._/-]{1,255}$/),
  // Of a policy, a reporter or a repository.
  name: z.string().regex(/^[a-z0-9._/-]{1,255}$/),
  tag: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/),
  digest: z.string().regex(/^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/),
  // A tag, or what follows all of them, and the number of its repository.
  'found-tag': z.string().regex(/^[A-Za-z0-9._~-]{1,128} [0-9]{1,18}$/),
  // A repository and a digest.
  'placed-digest': z.string().regex(/^[a-z0-9._/-]{1,255} sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/),
  // A repository and a place in its plan.
  decision: z.string().regex(/^[a-z0-9._/-]{1,255} [0-9]{1,9}$/),
};

/** Cursors look opaque so that nobody builds on what is in them. */
export function encodeCursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** @throws ApiError `request-invalid` for what was not made by encodeCursor for such a list */
export function decodeCursor(cursor: string, kind: CursorKind): string {
  const position = positions[kind].safeParse(Buffer.from(cursor, 'base64url').toString());
  if (position.success && encodeCursor(position.data) === cursor) return position.data;
  const detail = 'not a cursor of this list';
  throw new ApiError(detail, { code: 'request-invalid', errors: [{ pointer: '/cursor', detail }] });
}
