import { type Digest, type Manifest, referrerDescriptorOf, subjectOf, type Tag, viewManifest } from '@waybill/oci-model';
import { CopyError } from '../copy-error.js';
import type { Graph } from '../graph.js';
import type { FoundReferrer, UnlistedSubject } from '../report.js';

/** Where something that refers to a manifest was found. */
export interface Candidate {
  readonly digest: Digest;
  /** Manifests whose lists name it; it can refer to one of them at most. */
  readonly listedBy: readonly Digest[];
  /** Cosign's tags that name it, with the manifests that they hang on. */
  readonly attachedTo: readonly { readonly tag: Tag; readonly subject: Digest }[];
  /** As a list says; the manifest itself may say otherwise. */
  readonly listedType?: string | undefined;
}

/** A referrer with what is beneath it. */
export interface Referrer extends FoundReferrer {
  /** Does the subject list it, and its own manifest name the subject? */
  readonly isListed: boolean;
  /** The subject that its own manifest names; it may come to be found by that one's list, when a tag has found it before. */
  readonly named?: Digest | undefined;
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
export function typesOf(manifest: Manifest, { attachedTo }: Candidate): string[] {
  const { artifactType = manifest.mediaType } = referrerDescriptorOf(manifest);
  const view = viewManifest(manifest);
  const layers = attachedTo.length > 0 && view.kind === 'image' ? view.layers.map((layer) => layer.mediaType) : [];
  return [artifactType, ...layers];
}

/**
 * The manifest that a candidate refers to, by its own word or by a tag. A list that names a manifest which
 * refers to something else, or to nothing, is out of date or made up: followed, it would take foreign content along.
 * @throws CopyError `source-invalid`
 */
export function referredBy(manifest: Manifest, { listedBy, attachedTo }: Candidate): Pick<Referrer, 'subject' | 'isListed' | 'named'> {
  const named = subjectOf(manifest);
  if (named !== undefined && listedBy.includes(named)) return { subject: named, isListed: true, named };
  const [attached] = attachedTo;
  if (attached !== undefined) return { subject: attached.subject, isListed: false, named };
  throw new CopyError(`source: ${manifest.digest} is listed as a referrer of ${listedBy.join(', ')} and does not refer to it`, {
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
    merged.set(candidate.digest, known === undefined ? candidate : merge(known, candidate));
  }
  return [...merged.values()];
}

function merge(a: Candidate, b: Candidate): Candidate {
  return {
    digest: a.digest,
    listedBy: [...a.listedBy, ...b.listedBy],
    attachedTo: [...a.attachedTo, ...b.attachedTo],
    listedType: a.listedType ?? b.listedType,
  };
}

/** What is known of a referrer when it has been found another time. */
export function foundAgain(known: Referrer, { listedBy, attachedTo }: Candidate): Referrer {
  const { named } = known;
  const tags = [...known.tags, ...attachedTo.map(({ tag }) => tag)];
  const isNews = named !== undefined && listedBy.includes(named);
  return { ...known, tags, ...(isNews ? { subject: named, isListed: true } : {}) };
}

/** Subjects before what refers to them; what leads in a circle stays in the order in which it was found. */
export function subjectsFirst(found: readonly Referrer[]): Referrer[] {
  const holders = new Map<Digest, Referrer>();
  for (const each of found) for (const digest of each.graph?.levels.flat() ?? []) holders.set(digest, holders.get(digest) ?? each);
  const ordered = new Set<Referrer>();
  const begun = new Set<Referrer>();
  const place = (each: Referrer): void => {
    if (begun.has(each)) return;
    begun.add(each);
    const subject = holders.get(each.subject);
    if (subject !== undefined) place(subject);
    ordered.add(each);
  };
  for (const each of found) place(each);
  return [...ordered];
}

/** What is told of a referrer outside. */
export function factsOf({ referrer, subject, artifactType, tags, required }: Referrer): FoundReferrer {
  return { referrer, subject, ...(artifactType === undefined ? {} : { artifactType }), tags, required };
}
