import type { CreateHold } from '@waybill/contracts/http';
import { isDigest, isTag } from '@waybill/oci-model';

/** What a hold is on. */
export type HeldArtifact = Pick<CreateHold, 'scope' | 'registry' | 'repository' | 'tag' | 'digest'>;

/**
 * Reads `DIGEST`, which is held wherever it is, or `REGISTRY/REPOSITORY`, with `:TAG` or `@DIGEST` behind it;
 * `*` for the registry means every one. Undefined for what is none of these; names are left to the API.
 */
export function parseHeldArtifact(text: string): HeldArtifact | undefined {
  if (isDigest(text)) return { scope: 'digest', digest: text };
  const slash = text.indexOf('/');
  if (slash < 1) return undefined;
  const where = text.slice(0, slash) === '*' ? {} : { registry: text.slice(0, slash) };
  const [repository = '', digest] = text.slice(slash + 1).split('@', 2);
  if (digest !== undefined) return isDigest(digest) && repository !== '' ? { scope: 'digest', ...where, repository, digest } : undefined;
  const colon = repository.lastIndexOf(':');
  if (colon === -1) return repository === '' ? undefined : { scope: 'repository', ...where, repository };
  const tag = repository.slice(colon + 1);
  return isTag(tag) && colon > 0 ? { scope: 'tag', ...where, repository: repository.slice(0, colon), tag } : undefined;
}
