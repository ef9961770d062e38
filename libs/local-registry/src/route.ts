import { type Digest, isDigest, isRepositoryName, isTag, type RepositoryName, type Tag } from '@waybill/oci-model';
import { Refusal } from './refusal.js';

/** What a path of the distribution API addresses. Every name in it has been checked. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: RepositoryName }
  | { readonly kind: 'manifest'; readonly repository: RepositoryName; readonly reference: Digest | Tag }
  | { readonly kind: 'referrers'; readonly repository: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'blob'; readonly repository: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: RepositoryName }
  | { readonly kind: 'upload'; readonly repository: RepositoryName; readonly session: string };

const shapes = {
  tags: /^\/v2\/(?<name>.+)\/tags\/list$/,
  manifest: /^\/v2\/(?<name>.+)\/manifests\/(?<last>[^/]+)$/,
  referrers: /^\/v2\/(?<name>.+)\/referrers\/(?<last>[^/]+)$/,
  uploads: /^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/,
  upload: /^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<last>[^/]+)$/,
  blob: /^\/v2\/(?<name>.+)\/blobs\/(?<last>[^/]+)$/,
} as const;

const sessionPattern = /^[0-9a-f-]{36}$/;

/**
 * Reads a path (without its query) of distribution-spec v1.1.1, "Endpoints".
 * Undefined means that there is no such endpoint. The method decides only how a reference that cannot be is refused.
 * @throws Refusal `NAME_INVALID`, `DIGEST_INVALID`, `MANIFEST_INVALID`, `MANIFEST_UNKNOWN`, `BLOB_UPLOAD_UNKNOWN`
 */
export function routeOf(path: string, method: string): Route | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  for (const kind of ['tags', 'manifest', 'referrers', 'uploads', 'upload', 'blob'] as const) {
    const parts = shapes[kind].exec(path)?.groups;
    if (parts !== undefined) {
      return toRoute(kind, { repository: repositoryNamed(parts.name ?? ''), last: unescaped(parts.last ?? ''), method });
    }
  }
  return undefined;
}

interface Parts {
  readonly repository: RepositoryName;
  readonly last: string;
  readonly method: string;
}

function toRoute(kind: keyof typeof shapes, { repository, last, method }: Parts): Route {
  switch (kind) {
    case 'tags':
    case 'uploads':
      return { kind, repository };
    case 'upload':
      if (!sessionPattern.test(last)) throw new Refusal('BLOB_UPLOAD_UNKNOWN', 'there is no such upload session');
      return { kind, repository, session: last };
    case 'blob':
    case 'referrers':
      return { kind, repository, digest: digestNamed(last) };
    case 'manifest':
      return { kind, repository, reference: referenceNamed(last, method) };
  }
}

/** @throws Refusal `DIGEST_INVALID` */
export function digestNamed(text: string): Digest {
  if (isDigest(text)) return text;
  throw new Refusal('DIGEST_INVALID', 'the digest is not of the form sha256:<64 lower-case hex digits> or sha512:<128>');
}

function repositoryNamed(text: string): RepositoryName {
  if (isRepositoryName(text)) return text;
  throw new Refusal('NAME_INVALID', 'the repository name is not one that the specification allows');
}

/** Nothing can have a name that is none, so who asks for it is told that it is not there ("Pulling manifests": 404). */
function referenceNamed(text: string, method: string): Digest | Tag {
  if (text.includes(':')) return digestNamed(text);
  if (isTag(text)) return text;
  throw new Refusal(method === 'PUT' ? 'MANIFEST_INVALID' : 'MANIFEST_UNKNOWN', 'the reference is neither a tag nor a digest');
}

/** Clients may escape the colon of a digest; nothing else that is valid needs escaping. */
function unescaped(text: string): string {
  return text.replaceAll(/%3a/gi, ':');
}
