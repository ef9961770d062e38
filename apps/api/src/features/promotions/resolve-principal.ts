import type { NamedPrincipal, Principals } from '@waybill/persistence';
import { z } from 'zod';
import { ApiError } from '../../http/api-error.js';

const PrincipalId = z.guid();

/**
 * The id of the principal that a filter names: by its id, its subject, or `issuer/subject`.
 * @throws ApiError `request-invalid` when nobody, or more than one, is called that
 */
export async function resolvePrincipal(principals: Pick<Principals, 'named'>, named: string): Promise<string> {
  if (PrincipalId.safeParse(named).success) return named;
  const [first, ...others] = await principals.named(named);
  if (first !== undefined && others.length === 0) return first.id;
  const shown = JSON.stringify(named);
  throw refusal(
    first === undefined ? `no principal is called ${shown}` : `${shown} is not one principal: name it as ${ways([first, ...others])}`,
  );
}

/** The id stands beside: two may be written alike, with slashes in other places. */
function ways(principals: readonly NamedPrincipal[]): string {
  return principals.map(({ id, issuer, subject }) => `${issuer}/${subject} (${id})`).join(' or ');
}

function refusal(detail: string): ApiError {
  return new ApiError('the request is not valid: see errors', { code: 'request-invalid', errors: [{ pointer: '/principal', detail }] });
}
