import { StandardSchemaValidationPipe } from '@nestjs/common';
import { ApiError } from './api-error.js';

/** How many mistakes one answer lists. */
const maxErrors = 50;

/** Validates what routes declare with a Zod schema; each mistake is answered with its JSON pointer (RFC 6901). */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues) =>
      new ApiError('the request is not valid: see errors', {
        code: 'request-invalid',
        errors: issues.flatMap((issue) => placesOf(issue).map((pointer) => ({ pointer, detail: issue.message }))).slice(0, maxErrors),
      }),
  });
}

type Path = readonly (PropertyKey | { readonly key: PropertyKey })[];

/** Zod reports unknown fields at what holds them; the pointer leads to each. */
function placesOf(issue: { readonly path?: Path | undefined }): string[] {
  const path = issue.path ?? [];
  if (!('keys' in issue) || !Array.isArray(issue.keys)) return [pointerOf(path)];
  return issue.keys.map((key) => pointerOf([...path, String(key)]));
}

function pointerOf(path: Path): string {
  return path
    .map((segment) =>
      String(typeof segment === 'object' ? segment.key : segment)
        .replaceAll('~', '~0')
        .replaceAll('/', '~1'),
    )
    .map((segment) => `/${segment}`)
    .join('');
}
