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
import type { Answer } from '../answer.js';
import type { Exchange } from '../exchange.js';
import { referralOf } from '../referral.js';
import { Refusal } from '../refusal.js';
import { holdsManifest, sizeOfBlob } from '../storage/storage.js';

interface ManifestRoute {
  readonly repository: RepositoryName;
  readonly reference: Digest | Tag;
}

/** GET and HEAD of a manifest (distribution-spec v1.1.1, "Pulling manifests"); what was pushed is sent, whatever `Accept` says. */
export async function getManifest(exchange: Exchange, { repository, reference }: ManifestRoute): Promise<Answer> {
  const { repositories, blobs } = exchange.storage;
  const digest = isDigest(reference) ? reference : await repositories.readTag(repository, reference);
  const mediaType = digest === undefined ? undefined : await repositories.manifestType(repository, digest);
  if (digest === undefined || mediaType === undefined) {
    throw unknownManifest(reference);
  }
  const headers = { 'content-type': mediaType, 'docker-content-digest': digest, etag: `"${digest}"` };
  return { status: 200, headers, body: await blobs.readWhole(digest) };
}

/**
 * PUT of a manifest (distribution-spec v1.1.1, "Pushing Manifests"). Its bytes are kept as they came.
 * Everything beneath it must be in the repository, except what is held by reference only.
 */
export async function putManifest(exchange: Exchange, { repository, reference }: ManifestRoute): Promise<Answer> {
  const { repositories, blobs } = exchange.storage;
  const manifest = parse(await readBody(exchange), exchange.request.headers['content-type'], reference);
  const { digest, mediaType } = manifest;
  const referral = referralOf(manifest);
  await exchange.locks.shared(repository, async () => {
    await refuseMissing(exchange, repository, manifest);
    await blobs.write(manifest.bytes, digest);
    await repositories.linkManifest(repository, { digest, mediaType, referral });
    if (!isDigest(reference)) await repositories.writeTag(repository, reference, digest);
  });
  const headers = { location: `/v2/${repository}/manifests/${digest}`, 'docker-content-digest': digest };
  return { status: 201, headers: referral === undefined ? headers : { ...headers, 'oci-subject': referral.subject } };
}

/**
 * DELETE of a tag, which leaves the manifest, or of a manifest by its digest, which takes its tags with it
 * (distribution-spec v1.1.1, "Deleting tags" and "Deleting Manifests"). What refers to it is not asked.
 */
export async function deleteManifest(exchange: Exchange, { repository, reference }: ManifestRoute): Promise<Answer> {
  const wasThere = await exchange.locks.exclusive(repository, () =>
    isDigest(reference) ? remove(exchange, repository, reference) : exchange.storage.repositories.removeTag(repository, reference),
  );
  if (!wasThere) throw unknownManifest(reference);
  return { status: 202 };
}

async function remove({ storage }: Exchange, repository: RepositoryName, digest: Digest): Promise<boolean> {
  const mediaType = await storage.repositories.manifestType(repository, digest);
  if (mediaType === undefined) return false;
  const referral = referralOf({ digest, mediaType, bytes: await storage.blobs.readWhole(digest) });
  return storage.repositories.removeManifest(repository, digest, referral?.subject);
}

function unknownManifest(reference: Digest | Tag): Refusal {
  return new Refusal('MANIFEST_UNKNOWN', 'the repository has no such manifest', { details: [{ reference }] });
}

async function readBody(exchange: Exchange): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of exchange.body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
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
