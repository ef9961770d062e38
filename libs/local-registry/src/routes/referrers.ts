import { type Descriptor, type Digest, maxManifestBytes, mediaType, type RepositoryName } from '@waybill/oci-model';
import { type Answer, jsonAnswer } from '../answer.js';
import type { Exchange } from '../exchange.js';
import { countIn } from '../page.js';

interface ReferrersRoute {
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/**
 * GET referrers (distribution-spec v1.1.1, "Listing Referrers"): an image index, also when nothing refers to the
 * digest or the repository is unknown, in pages when it is long. The filter is applied here.
 */
export async function listReferrers(exchange: Exchange, route: ReferrersRoute): Promise<Answer> {
  const { query, path } = exchange;
  const artifactType = query.get('artifactType') ?? '';
  const { manifests, next } = await pageOfReferrers(exchange, route, artifactType);
  const index = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests };
  return jsonAnswer(index, {
    'content-type': mediaType.ociIndex,
    ...(artifactType === '' ? {} : { 'oci-filters-applied': 'artifactType' }),
    ...(next === undefined ? {} : { link: `<${path}?${nextQuery(query, next).toString()}>; rel="next"` }),
  });
}

interface ReferrersPage {
  readonly manifests: readonly Descriptor[];
  /** The last digest that was looked at, when there are more. */
  readonly next: Digest | undefined;
}

/** A page ends after so many entries, those that the filter hides included, or when it is as big as a manifest may be. */
async function pageOfReferrers({ storage, query }: Exchange, route: ReferrersRoute, artifactType: string): Promise<ReferrersPage> {
  const last = query.get('last') ?? '';
  const digests = (await storage.repositories.referrers(route.repository, route.digest)).filter((digest) => digest > last);
  const manifests: Descriptor[] = [];
  let bytes = 0;
  let looked: Digest | undefined;
  for (const digest of digests.slice(0, countIn(query))) {
    const descriptor = await storage.repositories.referrer(route.repository, route.digest, digest);
    if (descriptor !== undefined && (artifactType === '' || descriptor.artifactType === artifactType)) {
      bytes += Buffer.byteLength(JSON.stringify(descriptor));
      if (bytes > maxManifestBytes && manifests.length > 0) break;
      manifests.push(descriptor);
    }
    looked = digest;
  }
  return { manifests, next: looked === digests.at(-1) ? undefined : looked };
}

function nextQuery(query: URLSearchParams, last: Digest): URLSearchParams {
  const next = new URLSearchParams(query);
  next.set('last', last);
  return next;
}
