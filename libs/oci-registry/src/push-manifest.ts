import { type Digest, type Manifest, referrerDescriptorOf, subjectOf } from '@waybill/oci-model';
import { putManifest, type PutManifestOptions } from './manifests.js';
import { addReferrer } from './referrers-tag.js';
import type { RepositoryScope } from './scope.js';

/**
 * Pushes a manifest, and lists it as a referrer of its subject where the registry does not by itself
 * (distribution-spec v1.1.1, "Pushing Manifests with Subject").
 */
export async function pushManifest(scope: RepositoryScope, manifest: Manifest, options: PutManifestOptions): Promise<void> {
  const subject = subjectOf(manifest);
  const { listedUnder } = await putManifest(scope, manifest, options);
  if (subject === undefined || isListed(scope, subject, listedUnder)) return;
  await addReferrer(scope, { subject, referrer: referrerDescriptorOf(manifest) }, options.signal);
}

/** What is known of a registry counts more than what it says: some acknowledged subjects before they listed any. */
function isListed(scope: RepositoryScope, subject: Digest, listedUnder: string | undefined): boolean {
  const { referrersApi } = scope.connection.capabilities;
  return referrersApi === 'unknown' ? listedUnder === subject : referrersApi;
}
