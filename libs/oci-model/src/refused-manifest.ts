import { ContentError } from './content-error.js';

/** Bytes that are no manifest we would pass on. */
export function invalidManifest(message: string): ContentError {
  return new ContentError(message, { code: 'manifest-invalid', operation: 'read manifest' });
}

export function schema1Refused(): ContentError {
  return invalidManifest('Docker schema 1 manifests are not supported: rebuild or re-push the image with a current client');
}
