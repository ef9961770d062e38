import type { Digest } from '@waybill/oci-model';
import { discard } from '../body.js';
import { ask, type CheckRun, declined, type Probe } from './probe.js';
import { cancelUpload, uploadAddress } from './upload-address.js';

/** distribution-spec v1.1.1, "Mounting a blob from another repository". */
export const mount: Probe = {
  name: 'mount',
  after: ['push'],
  writes: true,
  async look(run, signal) {
    const from = run.connection.fullName(run.one.name);
    return {
      capabilities: {
        mount: await tryMount(run, { digest: run.content.config.digest, query: `&from=${encodeURIComponent(from)}` }, signal),
      },
    };
  },
};

/** The same without `from`, which the specification leaves to the registry. Another blob, since the first is mounted by now. */
export const anonymousMount: Probe = {
  name: 'anonymousMount',
  after: ['push'],
  writes: true,
  async look(run, signal) {
    return { capabilities: { anonymousMount: await tryMount(run, { digest: run.content.layer.digest, query: '' }, signal) } };
  },
};

async function tryMount(
  { two }: CheckRun,
  { digest, query }: { readonly digest: Digest; readonly query: string },
  signal: AbortSignal,
): Promise<boolean> {
  const operation = 'mount blob';
  const url = `/blobs/uploads/?mount=${encodeURIComponent(digest)}${query}`;
  const answer = await ask(two, { method: 'POST', url, operation, access: 'write', body: Buffer.alloc(0), signal });
  if (answer.status === 202) {
    await cancelUpload(two, await uploadAddress(two, answer));
    return false;
  }
  const isMounted = answer.status === 201;
  if (!isMounted && !declined.has(answer.status)) throw await two.connection.refusal(answer, { operation, repository: two.name });
  await discard(answer);
  return isMounted;
}
