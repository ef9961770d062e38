import { type Actor, holds, type Verb } from '@waybill/access';
import { ApiError } from './api-error.js';

/**
 * What a policy does, and what is held everywhere, is a matter of all repositories and of no path: a grant of some is not enough.
 * @throws ApiError `forbidden`
 */
export function authoriseEverywhere(actor: Actor, verb: Verb): void {
  if (holds(actor.grants, { verbs: [verb], paths: ['*'], repositories: ['**'] })) return;
  throw new ApiError(`this key may not do ${verb} on all repositories`, { code: 'forbidden' });
}
