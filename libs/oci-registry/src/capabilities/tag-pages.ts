import { nextLink } from '../link-header.js';
import { TagList } from '../schema.js';
import type { RepositoryScope } from '../scope.js';
import { ask, type Probe } from './probe.js';
import { ProbeFailure } from './probe-failure.js';

const operation = 'list tags';
const maxPageBytes = 4 * 1024 * 1024;

/** distribution-spec v1.1.1, "Listing Tags": of two tags, one is asked for. */
export const tagPagination: Probe = {
  name: 'tagPagination',
  after: ['push'],
  writes: true,
  async look({ one }, signal) {
    const first = await readPage(one, '/tags/list?n=1', signal);
    if (first.tags.length > 1) return { capabilities: { tagPagination: false }, note: 'it gives all tags at once' };
    if (first.next === undefined) throw incomplete('it lists fewer tags than there are and links to no further page');
    const second = await readPage(one, first.next, signal);
    if (second.tags.length === 0 || second.tags.every((tag) => first.tags.includes(tag))) {
      throw incomplete('its second page of tags repeats the first');
    }
    return { capabilities: { tagPagination: true } };
  },
};

function incomplete(message: string): ProbeFailure {
  return new ProbeFailure(message, { code: 'incomplete-pages', operation });
}

interface Page {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

async function readPage(scope: RepositoryScope, url: string | URL, signal: AbortSignal): Promise<Page> {
  const { connection, name } = scope;
  const answer = await ask(scope, { method: 'GET', url, operation, access: 'read', signal });
  if (answer.status !== 200) throw await connection.refusal(answer, { operation, repository: name });
  const { bytes } = await connection.bodyOf(answer, { atMost: maxPageBytes, operation });
  const target = nextLink([answer.headers.link ?? []].flat().join(', '));
  return { tags: tagsIn(bytes), next: target === undefined ? undefined : connection.link(target, answer.url, operation) };
}

function tagsIn(bytes: Buffer): readonly string[] {
  try {
    return TagList.parse(JSON.parse(bytes.toString('utf8'))).tags;
  } catch (cause) {
    throw new ProbeFailure('it gives no list of tags', { code: 'protocol', operation, cause });
  }
}
