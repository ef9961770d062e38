import {
  ContentError,
  type Digest,
  hashesTo,
  isDigest,
  type Manifest,
  manifestFromBytes,
  manifestMediaTypes,
  maxManifestBytes,
  type Tag,
} from '@waybill/oci-model';
import { contentLengthOf, discard } from './body.js';
import { retrying } from './retry.js';
import type { RepositoryScope } from './scope.js';
import { reportedDigest } from './stored-digest.js';
import type { Answer } from './exchange.js';

/** Distribution answers 404 to an OCI manifest unless its very type is accepted; a wildcard does not do. */
export const acceptManifests = manifestMediaTypes.join(', ');

/** distribution-spec v1.1.1, "Pulling manifests". */
export async function readManifest(scope: RepositoryScope, reference: Digest | Tag, signal?: AbortSignal): Promise<Manifest> {
  const operation = 'read manifest';
  return await retrying({ connection: scope.connection, operation, signal }, () => readOnce(scope, reference, signal));
}

export interface PutManifestOptions {
  readonly tag?: Tag;
  readonly signal?: AbortSignal | undefined;
}

/** What a registry said to a manifest that it took. */
export interface PutManifestResult {
  /** The subject that the registry says it listed the manifest under by itself, in its own words (`OCI-Subject`). */
  readonly listedUnder: string | undefined;
}

/** distribution-spec v1.1.1, "Pushing Manifests": under its digest, or under a tag. */
export async function putManifest(scope: RepositoryScope, manifest: Manifest, options: PutManifestOptions): Promise<PutManifestResult> {
  const { connection, name } = scope;
  const { tag, signal } = options;
  const operation = tag === undefined ? 'push manifest' : 'put tag';
  const answer = await connection.send({
    method: 'PUT',
    url: `${scope.path}/manifests/${tag ?? manifest.digest}`,
    kind: tag === undefined ? 'manifest' : 'tag',
    operation,
    repository: name,
    access: 'write',
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
    signal,
  });
  if (answer.status !== 201 && answer.status !== 200) throw await connection.refusal(answer, { operation, repository: name });
  const stored = reportedDigest(answer);
  if (stored !== undefined && !hashesTo(manifest.bytes, stored)) {
    throw await connection.rejection(answer, `${connection.host} stored ${stored} for manifest ${manifest.digest}`, {
      code: 'digest-mismatch',
      operation,
    });
  }
  await discard(answer);
  return { listedUnder: [answer.headers['oci-subject']].flat()[0] };
}

async function readOnce(scope: RepositoryScope, reference: Digest | Tag, signal: AbortSignal | undefined): Promise<Manifest> {
  const { connection, name } = scope;
  const operation = 'read manifest';
  const answer = await connection.send({
    method: 'GET',
    url: `${scope.path}/manifests/${reference}`,
    kind: 'manifest',
    operation,
    repository: name,
    access: 'read',
    headers: { accept: acceptManifests },
    signal,
  });
  if (answer.status !== 200) throw await connection.refusal(answer, { operation, repository: name });

  const bytes = await bytesOf(scope, answer);
  // Asked by digest, that digest counts; asked by tag, the one that the registry itself reports.
  const expected = isDigest(reference) ? reference : reportedDigest(answer);
  try {
    return manifestFromBytes(bytes, answer.headers['content-type'], expected);
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    const { code, details } = error;
    throw connection.error(`${connection.host} gave a bad manifest: ${error.message}`, { code, operation, details, cause: error });
  }
}

async function bytesOf(scope: RepositoryScope, answer: Answer): Promise<Uint8Array> {
  const { connection } = scope;
  const operation = 'read manifest';
  const tooLarge = { code: 'manifest-too-large', operation } as const;
  const message = `${connection.host} gave a manifest of more than ${maxManifestBytes} bytes`;
  if ((contentLengthOf(answer) ?? 0) > maxManifestBytes) {
    answer.body.destroy();
    throw connection.error(message, tooLarge);
  }
  const body = await connection.bodyOf(answer, { atMost: maxManifestBytes, operation });
  if (!body.complete) throw connection.error(message, tooLarge);
  return body.bytes;
}
