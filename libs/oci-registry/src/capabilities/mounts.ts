import type { BlobRef } from '@waybill/oci-model';
import { probeBlob } from '../blobs.js';
import { discard } from '../body.js';
import { ask, type CheckRun, declined, type Finding, type Probe } from './probe.js';
import { cancelUpload, uploadAddress } from './upload-address.js';

/** distribution-spec v1.1.1, "Mounting a blob from another repository". */
export const mount: Probe = {
  name: 'mount',
  after: ['push'],
  writes: true,
  async look(run, signal) {
    const from = run.connection.fullName(run.one.name);
    const { isMounted, ...note } = await tryMount(run, { blob: run.content.config, query: `&from=${encodeURIComponent(from)}` }, signal);
    return { capabilities: { mount: isMounted }, ...note };
  },
};

/** The same without `from`, which the specification leaves to the registry. Another blob, since the first is mounted by now. */
export const anonymousMount: Probe = {
  name: 'anonymousMount',
  after: ['push'],
  writes: true,
  async look(run, signal) {
    const { isMounted, ...note } = await tryMount(run, { blob: run.content.layer, query: '' }, signal);
    return { capabilities: { anonymousMount: isMounted }, ...note };
  },
};

interface Tried extends Pick<Finding, 'note'> {
  readonly isMounted: boolean;
}

/** A 201 is believed when the blob can be read. */
async function tryMount(
  { two }: CheckRun,
  { blob, query }: { readonly blob: BlobRef; readonly query: string },
  signal: AbortSignal,
): Promise<Tried> {
  const operation = 'mount blob';
  const url = `/blobs/uploads/?mount=${encodeURIComponent(blob.digest)}${query}`;
  const answer = await ask(two, { method: 'POST', url, operation, access: 'write', body: Buffer.alloc(0), signal });
  if (answer.status === 202) {
    await cancelUpload(two, await uploadAddress(two, answer));
    return { isMounted: false };
  }
  const saysSo = answer.status === 201;
  if (!saysSo && !declined.has(answer.status)) throw await two.connection.refusal(answer, { operation, repository: two.name });
  await discard(answer);
  if (!saysSo || (await probeBlob(two, blob, signal))) return { isMounted: saysSo };
  return { isMounted: false, note: 'it says that it took a blob over, and does not have it' };
}
