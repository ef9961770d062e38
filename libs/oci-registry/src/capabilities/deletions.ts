import { type Digest, digestOf } from '@waybill/oci-model';
import { discard } from '../body.js';
import { probeBlob } from '../blobs.js';
import { resolveTag } from '../tags.js';
import type { RepositoryScope } from '../scope.js';
import { pushSmallBlob } from './content-probes.js';
import { acceptManifests } from '../manifests.js';
import { ask, deletes, done, doneOrDeclined, type Probe, statusOf } from './probe.js';

/** Do the delete credentials let us ask? What is asked to be deleted is not there. */
export const deletion: Probe = {
  name: 'delete',
  after: ['write'],
  writes: true,
  async look({ one }, signal) {
    const nothing = digestOf(Buffer.from('what no registry holds'));
    await statusOf(one, { ...deletes, url: `/manifests/${nothing}`, operation: 'delete manifest', signal }, doneOrDeclined);
    return {};
  },
};

/** distribution-spec v1.1.1, "Deleting tags". It counts only when the manifest stays. */
export const tagDelete: Probe = {
  name: 'tagDelete',
  after: ['immutableTags', 'delete'],
  writes: true,
  async look({ one, content }, signal) {
    const named = await resolveTag(one, content.moving, signal);
    const status = await statusOf(one, { ...deletes, url: `/manifests/${content.moving}`, operation: 'untag', signal }, doneOrDeclined);
    if (!done.has(status)) return { capabilities: { tagDelete: false } };
    if ((await resolveTag(one, content.moving, signal)) !== undefined) {
      return { capabilities: { tagDelete: false }, note: 'it says that the tag is gone, and it is not' };
    }
    const isKept = named !== undefined && (await hasManifest(one, named, signal));
    return { capabilities: { tagDelete: isKept }, ...(isKept ? {} : { note: 'with the last tag it takes the manifest away' }) };
  },
};

/** distribution-spec v1.1.1, "Deleting Manifests". One that no tag names: some registries refuse to delete others. */
export const manifestDelete: Probe = {
  name: 'manifestDelete',
  after: ['immutableTags', 'delete'],
  writes: true,
  async look({ one, content }, signal) {
    const named = await resolveTag(one, content.moving, signal);
    const { digest } = named === content.first.digest ? content.second : content.first;
    const status = await statusOf(one, { ...deletes, url: `/manifests/${digest}`, operation: 'delete manifest', signal }, doneOrDeclined);
    return { capabilities: { manifestDelete: done.has(status) && !(await hasManifest(one, digest, signal)) } };
  },
};

/** distribution-spec v1.1.1, "Deleting Blobs". */
export const blobDelete: Probe = {
  name: 'blobDelete',
  after: ['write', 'delete'],
  writes: true,
  async look({ one, content }, signal) {
    await pushSmallBlob(one, content.spare, signal);
    const status = await statusOf(
      one,
      { ...deletes, url: `/blobs/${content.spare.digest}`, operation: 'delete blob', signal },
      doneOrDeclined,
    );
    return { capabilities: { blobDelete: done.has(status) && !(await probeBlob(one, content.spare, signal)) } };
  },
};

export async function hasManifest(scope: RepositoryScope, digest: Digest, signal: AbortSignal): Promise<boolean> {
  const operation = 'read manifest';
  const headers = { accept: acceptManifests };
  const answer = await ask(scope, { method: 'HEAD', url: `/manifests/${digest}`, operation, access: 'read', headers, signal });
  if (answer.status !== 200 && answer.status !== 404) throw await scope.connection.refusal(answer, { operation, repository: scope.name });
  await discard(answer);
  return answer.status === 200;
}
