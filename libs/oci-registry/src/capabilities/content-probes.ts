import { Readable } from 'node:stream';
import type { Manifest, Tag } from '@waybill/oci-model';
import { probeBlob } from '../blobs.js';
import { putManifest, readManifest } from '../manifests.js';
import type { RepositoryScope } from '../scope.js';
import { resolveTag } from '../tags.js';
import { pushBlob } from '../uploads.js';
import { checkContent, keptId, type SmallBlob } from './check-content.js';
import { hasRemains } from './earlier-checks.js';
import type { Probe } from './probe.js';
import { ProbeFailure } from './probe-failure.js';
import { beginUpload, cancelUpload } from './upload-address.js';

/** Do the write credentials let an upload begin? */
export const write: Probe = {
  name: 'write',
  after: ['reachable'],
  writes: true,
  async look({ one }, signal) {
    const { address } = await beginUpload(one, signal);
    await cancelUpload(one, address);
    return {};
  },
};

export const push: Probe = {
  name: 'push',
  after: ['write'],
  writes: true,
  async look(run, signal) {
    const { one } = run;
    // Whatever stays at this registry, it must not grow with every check.
    if (await hasRemains(run, signal)) run.content = checkContent(keptId);
    const { content } = run;
    await pushSmallBlob(one, content.config, signal);
    await pushSmallBlob(one, content.layer, signal);
    await ensureTag(one, { tag: content.marker, manifest: content.image }, signal);
    await ensureTag(one, { tag: content.neighbour, manifest: content.image }, signal);
    return {};
  },
};

/** Reads back with the credentials for reading: a manifest is hashed, and a blob's byte seen. */
export const pull: Probe = {
  name: 'pull',
  after: ['push'],
  writes: true,
  async look({ one, content }, signal) {
    await readManifest(one, content.image.digest, signal);
    if (await probeBlob(one, content.layer, signal)) return {};
    throw new ProbeFailure('the registry took a blob and does not give it back', { code: 'not-found', operation: 'probe blob' });
  },
};

export async function pushSmallBlob(scope: RepositoryScope, blob: SmallBlob, signal: AbortSignal): Promise<void> {
  await pushBlob(scope, blob, Readable.from([blob.bytes]), { signal });
}

/** Writes a tag only where it does not stand yet: where tags are immutable, saying the same again may be refused. */
async function ensureTag(
  scope: RepositoryScope,
  { tag, manifest }: { readonly tag: Tag; readonly manifest: Manifest },
  signal: AbortSignal,
): Promise<void> {
  if ((await resolveTag(scope, tag, signal)) !== manifest.digest) await putManifest(scope, manifest, { tag, signal });
}
