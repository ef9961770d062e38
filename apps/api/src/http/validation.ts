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
        errors: issues.slice(0, maxErrors).map((issue) => ({ pointer: pointerOf(issue.path ?? []), detail: issue.message })),
      }),
  });
}

type Path = readonly (PropertyKey | { readonly key: PropertyKey })[];

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
