import type { Brand } from '@waybill/kernel';
import { ContentError } from './content-error.js';
import { type Digest, isDigest } from './digest.js';

/** A repository's `<name>` (distribution-spec v1.1.1, "Pulling manifests"). */
export type RepositoryName = Brand<string, 'RepositoryName'>;
/** A tag (same place): up to 128 characters. */
export type Tag = Brand<string, 'Tag'>;

const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
// A digest's hex part is cut to 64 characters there (distribution-spec v1.1.1, "Referrers Tag Schema").
const reservedTagPattern = /^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{64}(?:[0-9a-f]{64})?)(?:[.-].*)?$/;
const maxNameLength = 255; // with the host, as the specification recommends

export function isRepositoryName(text: string): text is RepositoryName {
  return text.length <= maxNameLength && repositoryPattern.test(text);
}

export function isTag(text: string): text is Tag {
  return tagPattern.test(text);
}

/** `sha256-<hex>` with or without suffix: referrers fallback and cosign tags, never a user's. */
export function isReservedTag(tag: string): boolean {
  return reservedTagPattern.test(tag);
}

/** @throws ContentError `reference-invalid` */
export function parseRepositoryName(text: string): RepositoryName {
  if (isRepositoryName(text)) return text;
  throw invalid(`"${shown(text)}" is not a repository name: lower-case path segments of letters, digits, ".", "_" and "-", joined by "/"`);
}

/** @throws ContentError `reference-invalid` */
export function parseTag(text: string): Tag {
  if (isTag(text)) return text;
  throw invalid(`"${shown(text)}" is not a tag: letters, digits, ".", "_" and "-", at most 128, not starting with "." or "-"`);
}

/** Where an artifact is, in the words of a topology: its registry's name, not a host. */
export interface ArtifactReference {
  readonly registry: string;
  readonly repository: RepositoryName;
  readonly tag?: Tag;
  readonly digest?: Digest;
}

/**
 * Parses `registry/repository[:tag][@digest]`, where `registry` is a registry's name in the topology.
 * @throws ContentError `reference-invalid`
 */
export function parseArtifactReference(text: string): ArtifactReference {
  const [named, digest, ...rest] = text.split('@') as [string, string?, ...string[]];
  const slash = named.indexOf('/');
  if (slash <= 0 || rest.length > 0) {
    throw invalid(`"${shown(text)}" is not a reference: expected registry/repository:tag or registry/repository@sha256:…`);
  }
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(`"${shown(digest)}" in "${shown(text)}" is not a digest`);
  }
  const path = named.slice(slash + 1);
  const colon = path.lastIndexOf(':');
  return {
    registry: named.slice(0, slash),
    repository: parseRepositoryName(colon < 0 ? path : path.slice(0, colon)),
    ...(colon < 0 ? {} : { tag: parseTag(path.slice(colon + 1)) }),
    ...(digest === undefined ? {} : { digest }),
  };
}

export function formatArtifactReference(reference: ArtifactReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

function shown(text: string): string {
  return text.length > 150 ? `${text.slice(0, 150)}…` : text;
}

function invalid(message: string): ContentError {
  return new ContentError(message, { code: 'reference-invalid', operation: 'parse reference' });
}
