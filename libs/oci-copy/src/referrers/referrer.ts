import { type Digest, type Manifest, referrerDescriptorOf, subjectOf, type Tag, viewManifest } from '@waybill/oci-model';
import { CopyError } from '../copy-error.js';
import type { Graph } from '../graph.js';
import type { FoundReferrer, UnlistedSubject } from '../report.js';

/** Where something that refers to a manifest was found. */
export interface Candidate {
  readonly digest: Digest;
  readonly subject: Digest;
  /** Cosign's tags that name it. */
  readonly tags: readonly Tag[];
  /** Did the store list it as a referrer of the subject? */
  readonly isListed: boolean;
  /** As the list says; the manifest itself may say otherwise. */
  readonly listedType?: string | undefined;
}

/** A referrer with what is beneath it. */
export interface Referrer extends FoundReferrer {
  /** Does its own manifest name the subject? */
  readonly isListed: boolean;
  /** All media types that it may be asked for by. */
  readonly types: readonly string[];
  /** Absent when it could not be read whole. */
  readonly graph?: Graph;
  /** Why it could not. */
  readonly error?: CopyError;
}

/** What was found to refer to a graph; subjects stand before what refers to them. */
export interface FoundReferrers {
  readonly referrers: readonly Referrer[];
  readonly unlisted: readonly UnlistedSubject[];
}

/**
 * The artifact type that the distribution specification gives a referrer, then the media types of its
 * layers when it is attached by a tag: cosign's manifests of before artifact types have only those.
 * @throws ContentError `manifest-invalid`
 */
export function typesOf(manifest: Manifest, { tags }: Candidate): string[] {
  const { artifactType = manifest.mediaType } = referrerDescriptorOf(manifest);
  const view = viewManifest(manifest);
  const layers = tags.length > 0 && view.kind === 'image' ? view.layers.map((layer) => layer.mediaType) : [];
  return [artifactType, ...layers];
}

/**
 * A list that names a manifest which refers to something else, or to nothing, is out of date or made up:
 * followed, it would take foreign content along.
 * @throws CopyError `source-invalid`
 */
export function checkSubject(manifest: Manifest, { subject, isListed }: Candidate): void {
  if (!isListed || subjectOf(manifest) === subject) return;
  throw new CopyError(`source: ${manifest.digest} is listed as a referrer of ${subject} and does not refer to it`, {
    code: 'source-invalid',
    side: 'source',
    operation: 'list referrers',
    digest: manifest.digest,
  });
}

/** The same manifest may be listed and tagged, and be named by several tags: it is brought once. */
export function mergeCandidates(candidates: readonly Candidate[]): Candidate[] {
  const merged = new Map<Digest, Candidate>();
  for (const candidate of candidates) {
    const known = merged.get(candidate.digest);
    const both = known === undefined ? candidate : merge(known, candidate);
    merged.set(candidate.digest, both);
  }
  return [...merged.values()];
}

function merge(a: Candidate, b: Candidate): Candidate {
  // The list says which manifest it is really about; a tag only where it hangs.
  const first = b.isListed && !a.isListed ? b : a;
  return { ...first, tags: [...a.tags, ...b.tags] };
}

/** What is told of a referrer outside. */
export function factsOf({ referrer, subject, artifactType, tags, required }: Referrer): FoundReferrer {
  return { referrer, subject, ...(artifactType === undefined ? {} : { artifactType }), tags, required };
}
