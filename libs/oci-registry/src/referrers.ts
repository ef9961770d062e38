import { type Capability, type Descriptor, type Digest, referrersIn } from '@waybill/oci-model';
import type { Answer } from './exchange.js';
import { listPages } from './listing.js';
import { readReferrersIndex } from './referrers-tag.js';
import { RegistryError } from './registry-error.js';
import { ReferrerList } from './schema.js';
import type { RepositoryScope } from './scope.js';

/** What one manifest can be referred to by; each costs memory while a list is read. */
const maxReferrers = 100_000;

/**
 * distribution-spec v1.1.1, "Listing Referrers": by the registry's own list and by the referrers tag, since
 * what was pushed before a registry learned to list stands under the tag only. Each referrer once.
 */
export async function* listReferrers(scope: RepositoryScope, subject: Digest, signal?: AbortSignal): AsyncGenerator<Descriptor> {
  const seen = new Set<Digest>();
  for await (const referrer of listedAnywhere(scope, subject, signal)) {
    if (seen.has(referrer.digest)) continue;
    if (seen.size === maxReferrers) {
      throw scope.connection.error(`${scope.connection.host} lists more than ${maxReferrers} referrers`, {
        code: 'protocol',
        operation: 'list referrers',
      });
    }
    seen.add(referrer.digest);
    yield referrer;
  }
}

async function* listedAnywhere(scope: RepositoryScope, subject: Digest, signal: AbortSignal | undefined): AsyncGenerator<Descriptor> {
  if (scope.connection.capabilities.referrersApi !== false) yield* listedByRegistry(scope, subject, signal);
  const index = await readReferrersIndex(scope, subject, signal);
  if (index !== undefined) yield* referrersIn(index);
}

/** Nothing where the registry says that it has no such list; that it has none for now is trouble. */
export async function* listedByRegistry(scope: RepositoryScope, subject: Digest, signal?: AbortSignal): AsyncGenerator<Descriptor> {
  const { connection, name, path } = scope;
  const first = { isRead: false };
  const read = (json: unknown): readonly Descriptor[] => {
    const { manifests } = ReferrerList.parse(json);
    first.isRead = true;
    return manifests;
  };
  const listing = {
    connection,
    first: `${path}/referrers/${subject}`,
    kind: 'referrers',
    operation: 'list referrers',
    repository: name,
    complaint,
    read,
  } as const;
  try {
    yield* listPages(listing, signal);
  } catch (error) {
    if (first.isRead || !saysNoSuchList(error, connection.capabilities.referrersApi)) throw error;
  }
}

/** Distribution 2.8 knows no such path and answers a plain 404. Others answer 400 or 406 to what they do not know, and do not say why. */
function saysNoSuchList(error: unknown, referrersApi: Capability): boolean {
  if (!(error instanceof RegistryError)) return false;
  if (error.code === 'not-found' || error.code === 'unsupported') return true;
  return referrersApi !== true && error.code === 'protocol' && (error.status === 400 || error.status === 406);
}

/** A list that was narrowed without our asking lacks something that we may need. */
function complaint(answer: Answer): string | undefined {
  return answer.headers['oci-filters-applied'] === undefined ? undefined : 'filters its referrers unasked';
}
