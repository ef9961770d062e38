import type { Verdict } from '../compile/artifact-match.js';
import type { ArtifactGraph } from '../graph/artifact-graph.js';
import type { SnapshotManifest } from '../snapshot.js';

/** Types of what notation and cosign push as a signature; other referrers say nothing about being signed. */
const signatureTypes = ['application/vnd.cncf.notary.signature', 'application/vnd.dev.cosign.artifact.sig.v1+json'];

/** A Sigstore bundle holds a signature or an attestation, Waybill's own among them; its annotations say which, as cosign v3 writes them. */
const bundleType = 'application/vnd.dev.sigstore.bundle';
const bundleContent = 'dev.sigstore.bundle.content';
const bundlePredicate = 'dev.sigstore.bundle.predicateType';
const signingPredicate = 'https://sigstore.dev/cosign/sign/v1';

/** What a referrer's annotations must be known of to tell whether it is a signature. */
export const signatureAnnotations: readonly string[] = [bundleContent, bundlePredicate];

const verdicts = ['no', 'unknown', 'yes'] as const satisfies readonly Verdict[];

/** Whether something in the repository signs a manifest, by its number. */
export function signaturesOf({ manifests, subjects, tags, tagged, isReserved }: ArtifactGraph): (number: number) => Verdict {
  const signed = new Uint8Array(manifests.length);
  const raise = (number: number, verdict: Verdict): void => {
    const rank = verdicts.indexOf(verdict);
    for (const subject of subjects.of(number)) signed[subject] = Math.max(signed[subject] ?? 0, rank);
  };
  for (const [number, manifest] of manifests.entries()) {
    if (subjects.has(number)) raise(number, isSignature(manifest));
  }
  for (const [at, { name }] of tags.entries()) {
    const number = tagged[at] ?? -1;
    if (number >= 0 && isReserved[at] === 1 && name.endsWith('.sig')) raise(number, 'yes');
  }
  return (number) => verdicts[signed[number] ?? 0] ?? 'unknown';
}

function isSignature({ artifactType, annotations }: SnapshotManifest): Verdict {
  if (artifactType === undefined) return 'no';
  if (signatureTypes.some((type) => artifactType.startsWith(type))) return 'yes';
  if (!artifactType.startsWith(bundleType)) return 'no';
  if (annotations[bundleContent] === 'message-signature') return 'yes';
  const predicate = annotations[bundlePredicate];
  if (predicate === undefined) return 'unknown';
  return predicate === signingPredicate ? 'yes' : 'no';
}
