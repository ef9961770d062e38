import { putManifest } from '../manifests.js';
import { resolveTag } from '../tags.js';
import { ask, declined, type Probe } from './probe.js';
import { discard } from '../body.js';

const taken: ReadonlySet<number> = new Set([200, 201]);
/** The manifest is there and the account may write tags: what is refused is to move this one. */
const refused: ReadonlySet<number> = new Set([...declined, 403, 412, 422]);

/**
 * Does the registry itself keep a tag where it is? Nothing in distribution-spec v1.1.1 makes it;
 * where it does not, only exclusive credentials keep others from moving what Waybill wrote.
 */
export const immutableTags: Probe = {
  name: 'immutableTags',
  after: ['push'],
  writes: true,
  async look({ connection, one, content }, signal) {
    const { first, second, moving } = content;
    // By digest first, so that a refusal below can only be about the tag.
    await putManifest(one, first, { signal });
    await putManifest(one, second, { signal });
    let before = await resolveTag(one, moving, signal);
    if (before === undefined) {
      await putManifest(one, first, { tag: moving, signal });
      before = first.digest;
    }
    const next = before === first.digest ? second : first;

    const operation = 'put tag';
    const headers = { 'content-type': next.mediaType };
    const answer = await ask(one, {
      method: 'PUT',
      url: `/manifests/${moving}`,
      operation,
      access: 'write',
      headers,
      body: next.bytes,
      signal,
    });
    const isClear = taken.has(answer.status) || refused.has(answer.status);
    if (!isClear) throw await connection.refusal(answer, { operation, repository: one.name });
    await discard(answer);
    const isKept = (await resolveTag(one, moving, signal)) === before;
    return { capabilities: { immutableTags: isKept }, ...(isKept ? {} : { note: 'any writer may move a tag' }) };
  },
};
