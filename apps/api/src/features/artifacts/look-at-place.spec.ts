import { describe, expect, it } from '@jest/globals';
import { ContentError, type Digest, parseRepositoryName } from '@waybill/oci-model';
import type { RegistryReader } from '@waybill/promotion';
import { lookAtPlace } from './look-at-place.js';

const digest = `sha256:${'ab'.repeat(32)}` as Digest;
const refuse = () => {
  throw new Error('this is not asked for here');
};

/** A registry whose manifests cannot be read, for this reason. */
function blind(error: ContentError): RegistryReader {
  const readManifest = () => Promise.reject(error);
  return {
    repository: () => ({ readManifest, resolveTag: refuse, probeBlob: refuse, listTags: refuse }),
    repositories: refuse,
    shareOrigin: () => false,
  };
}

describe('a look at a registry that does not show what it has', () => {
  const place = { registry: 'prod', repository: parseRepositoryName('team-a/app'), tags: [] };
  const look = (deadline: AbortSignal) => ({ deadline, onManifest: () => undefined });

  it('says that no answer came in time, and not that we gave up', async () => {
    const aborted = new ContentError('read manifest was aborted', { code: 'aborted', operation: 'read manifest' });

    const { content } = await lookAtPlace(blind(aborted), place, { digest }, look(AbortSignal.abort()));

    expect(content).toEqual({ kind: 'unknown', reason: 'deadline', detail: 'no answer in the time that one request has' });
  });

  it('says what the registry said', async () => {
    const denied = new ContentError('prod denies it', { code: 'denied', operation: 'read manifest' });

    const { content } = await lookAtPlace(blind(denied), place, { digest }, look(new AbortController().signal));

    expect(content).toMatchObject({ kind: 'unknown', detail: 'prod denies it' });
  });
});
