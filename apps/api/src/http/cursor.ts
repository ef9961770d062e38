import { ApiError } from './api-error.js';

/** Cursors look opaque so that nobody builds on what is in them. */
export function encodeCursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** @throws ApiError `request-invalid` for what was not made by encodeCursor */
export function decodeCursor(cursor: string, valid: RegExp): string {
  const position = Buffer.from(cursor, 'base64url').toString();
  if (valid.test(position)) return position;
  const detail = 'not a cursor of this list';
  throw new ApiError(detail, { code: 'request-invalid', errors: [{ pointer: '/cursor', detail }] });
}
