import {
  childrenOf,
  ContentError,
  type Digest,
  isDigest,
  isManifestMediaType,
  type Manifest,
  manifestFromBytes,
  maxManifestBytes,
  type RepositoryName,
  type Tag,
  viewManifest,
} from '@waybill/oci-model';
import { answer, bodyOf, type Exchange } from '../exchange.js';
import { Refusal } from '../refusal.js';
import { holdsManifest, sizeOfBlob } from '../storage/storage.js';

interface ManifestRoute {
  readonly repository: RepositoryName;
  readonly reference: Digest | Tag;
}

/** GET and HEAD of a manifest (distribution-spec v1.1.1, "Pulling manifests"); what was pushed is sent, whatever `Accept` says. */
export async function getManifest(exchange: Exchange, { repository, reference }: ManifestRoute): Promise<void> {
  const { repositories, blobs } = exchange.storage;
  const digest = isDigest(reference) ? reference : await repositories.readTag(repository, reference);
  const mediaType = digest === undefined ? undefined : await repositories.manifestType(repository, digest);
  if (digest === undefined || mediaType === undefined) {
    throw new Refusal('MANIFEST_UNKNOWN', 'the repository has no such manifest', { details: [{ reference }] });
  }
  const bytes = await blobs.readWhole(digest);
  exchange.response.writeHead(200, {
    'content-type': mediaType,
    'content-length': bytes.byteLength,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  });
  exchange.response.end(bytes); // Node keeps the body back from a HEAD
}

/**
 * PUT of a manifest (distribution-spec v1.1.1, "Pushing Manifests"). Its bytes are kept as they came.
 * Everything beneath it must be in the repository, except what is held by reference only.
 */
export async function putManifest(exchange: Exchange, { repository, reference }: ManifestRoute): Promise<void> {
  const { repositories, blobs } = exchange.storage;
  const manifest = parse(await readBody(exchange), exchange.request.headers['content-type'], reference);
  await refuseMissing(exchange, repository, manifest);
  await blobs.write(manifest.bytes, manifest.digest);
  await repositories.linkManifest(repository, manifest.digest, manifest.mediaType);
  if (!isDigest(reference)) await repositories.writeTag(repository, reference, manifest.digest);
  answer(exchange, 201, { location: `/v2/${repository}/manifests/${manifest.digest}`, 'docker-content-digest': manifest.digest });
}

async function readBody(exchange: Exchange): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(exchange).iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxManifestBytes) {
      throw new Refusal('SIZE_INVALID', `manifests of more than ${maxManifestBytes} bytes are not taken`, { status: 413 });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer, contentType: string | undefined, reference: Digest | Tag): Manifest {
  const declared = contentType?.split(';')[0]?.trim().toLowerCase();
  if (declared === undefined || !isManifestMediaType(declared)) {
    throw new Refusal('MANIFEST_INVALID', 'the content type is not that of a manifest or index');
  }
  try {
    const manifest = manifestFromBytes(bytes, declared, isDigest(reference) ? reference : undefined);
    const inside = viewManifest(manifest).mediaType;
    if (inside === undefined || inside === declared) return manifest;
    throw new Refusal('MANIFEST_INVALID', 'the content type and the mediaType inside the manifest differ');
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    const code = error.code === 'digest-mismatch' ? 'DIGEST_INVALID' : 'MANIFEST_INVALID';
    throw new Refusal(code, error.message, { cause: error });
  }
}

async function refuseMissing({ storage }: Exchange, repository: RepositoryName, manifest: Manifest): Promise<void> {
  const children = childrenOf(manifest);
  const missing: { readonly digest: Digest }[] = [];
  for (const { digest } of children.manifests) {
    if (!(await holdsManifest(storage, repository, digest))) missing.push({ digest });
  }
  for (const { digest } of children.blobs) {
    if ((await sizeOfBlob(storage, repository, digest)) === undefined) missing.push({ digest });
  }
  if (missing.length > 0) {
    throw new Refusal('MANIFEST_BLOB_UNKNOWN', 'the manifest names content that the repository does not have', { details: missing });
  }
}
