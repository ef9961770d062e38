import { mediaType } from '@waybill/oci-model';
import { z } from 'zod';
import { discard } from '../body.js';
import type { Connection } from '../connection.js';
import type { Answer } from '../exchange.js';
import { ask, declined, type Finding, type Probe } from './probe.js';

const ReferrerList = z.object({ manifests: z.array(z.object({ digest: z.string() })) });
const maxListBytes = 4 * 1024 * 1024;

/** distribution-spec v1.1.1, "Listing Referrers": believed when it lists what was just pushed, not because a route is there. */
export const referrersApi: Probe = {
  name: 'referrersApi',
  after: ['push'],
  writes: true,
  async look({ connection, one, content }, signal) {
    const { referrer, image } = content;
    const pushed = await ask(one, {
      method: 'PUT',
      url: `/manifests/${referrer.digest}`,
      operation: 'push manifest',
      access: 'write',
      headers: { 'content-type': referrer.mediaType },
      body: referrer.bytes,
      signal,
    });
    if (pushed.status !== 201) throw await connection.refusal(pushed, { operation: 'push manifest', repository: one.name });
    await discard(pushed);

    const operation = 'list referrers';
    const headers = { accept: mediaType.ociIndex };
    const answer = await ask(one, { method: 'GET', url: `/referrers/${image.digest}`, operation, access: 'read', headers, signal });
    if (declined.has(answer.status)) {
      await discard(answer);
      return fallback('referrers are kept in tags');
    }
    if (answer.status !== 200) throw await connection.refusal(answer, { operation, repository: one.name });
    const listed = await digestsIn(connection, answer);
    if (listed === undefined) return fallback('it answers, but not with an index: referrers are kept in tags');
    if (!listed.includes(referrer.digest)) return fallback('it answers, but does not list a new referrer: referrers are kept in tags');
    return { capabilities: { referrersApi: true } };
  },
};

function fallback(note: string): Finding {
  return { capabilities: { referrersApi: false }, note };
}

async function digestsIn(connection: Connection, answer: Answer): Promise<readonly string[] | undefined> {
  const { bytes, complete } = await connection.bodyOf(answer, { atMost: maxListBytes, operation: 'list referrers' });
  if (!complete) return undefined;
  try {
    return ReferrerList.parse(JSON.parse(bytes.toString('utf8'))).manifests.map(({ digest }) => digest);
  } catch {
    return undefined;
  }
}
