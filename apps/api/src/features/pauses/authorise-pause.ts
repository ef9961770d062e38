import { type Actor, holds } from '@waybill/access';
import { ApiError } from '../../http/api-error.js';

/**
 * A pause stops every repository of what it covers, so a grant of some of them is not enough. That of a registry, and that of
 * everything, stops every path.
 * @throws ApiError `forbidden`
 */
export function authorisePause(actor: Actor, { scope, name }: { readonly scope: string; readonly name?: string | undefined }): void {
  const paths = scope === 'path' && name !== undefined ? [name] : ['*'];
  if (holds(actor.grants, { verbs: ['pauses:manage'], paths, repositories: ['**'] })) return;
  const what = scope === 'path' ? `all of path "${name ?? ''}"` : 'all paths';
  throw new ApiError(`this key may not do pauses:manage on ${what}`, { code: 'forbidden' });
}
