import { ContentError, type Digest, isTag, type Tag } from '@waybill/oci-model';
import { discard, readCapped } from './body.js';
import { nextLink } from './link-header.js';
import { acceptManifests, readManifest } from './manifests.js';
import { retrying } from './retry.js';
import { TagList } from './schema.js';
import type { RepositoryScope } from './scope.js';
import { reportedDigest } from './stored-digest.js';

const pageSize = 1000;
/** A million tags at full pages; a registry that goes on is going in circles. */
const maxPages = 1000;
/** Distribution gives the whole list at once, whatever page was asked for. */
const maxPageBytes = 32 * 1024 * 1024;

/** The digest of a tag now; undefined when the registry says that there is no such tag. */
export async function resolveTag(scope: RepositoryScope, tag: Tag, signal?: AbortSignal): Promise<Digest | undefined> {
  const operation = 'resolve tag';
  const head = await retrying({ connection: scope.connection, operation, signal }, () => headOf(scope, tag, signal));
  if (head !== 'unhelpful') return head;
  try {
    return (await readManifest(scope, tag, signal)).digest;
  } catch (error) {
    if (error instanceof ContentError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** distribution-spec v1.1.1, "Listing Tags", page after page. */
export async function* listTags(scope: RepositoryScope, signal?: AbortSignal): AsyncGenerator<Tag> {
  const { connection } = scope;
  const operation = 'list tags';
  let next: URL | undefined = new URL(`${scope.path}/tags/list?n=${pageSize}`, connection.origin);
  for (let page = 0; next !== undefined; page += 1) {
    if (page === maxPages) throw connection.error(`${connection.host} lists tags without end`, { code: 'protocol', operation });
    const url: URL = next;
    const { tags, link } = await retrying({ connection, operation, signal }, () => readPage(scope, url, signal));
    yield* tags;
    next = link;
  }
}

async function headOf(scope: RepositoryScope, tag: Tag, signal: AbortSignal | undefined): Promise<Digest | undefined | 'unhelpful'> {
  const { connection, name } = scope;
  const operation = 'resolve tag';
  const answer = await connection.send({
    method: 'HEAD',
    url: `${scope.path}/manifests/${tag}`,
    kind: 'tag',
    operation,
    repository: name,
    access: 'read',
    headers: { accept: acceptManifests },
    signal,
  });
  if (answer.status !== 200 && answer.status !== 404 && answer.status !== 405) {
    throw await connection.refusal(answer, { operation, repository: name });
  }
  await discard(answer);
  if (answer.status === 404) return undefined;
  // Some registries send no digest, or know no HEAD; reading the manifest tells as well.
  return answer.status === 200 ? (reportedDigest(answer) ?? 'unhelpful') : 'unhelpful';
}

interface Page {
  readonly tags: readonly Tag[];
  readonly link: URL | undefined;
}

async function readPage(scope: RepositoryScope, url: URL, signal: AbortSignal | undefined): Promise<Page> {
  const { connection, name } = scope;
  const operation = 'list tags';
  const answer = await connection.send({ method: 'GET', url, kind: 'tags', operation, repository: name, access: 'read', signal });
  if (answer.status !== 200) throw await connection.refusal(answer, { operation, repository: name });
  const body = await readCapped(answer, maxPageBytes).catch((error: unknown) => {
    throw connection.bodyError(error, operation);
  });
  const tags = body.complete ? parseTags(body.bytes) : undefined;
  if (tags === undefined) throw connection.error(`${connection.host} gave no list of tags`, { code: 'protocol', operation });
  return { tags, link: followingPage(scope, url, answer.headers.link) };
}

function parseTags(bytes: Uint8Array): readonly Tag[] | undefined {
  try {
    const { tags } = TagList.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return tags.every(isTag) ? tags : undefined;
  } catch {
    return undefined;
  }
}

/** Pages lie at the registry itself: a listing that leads elsewhere is no listing of this repository. */
function followingPage(scope: RepositoryScope, url: URL, header: string | string[] | undefined): URL | undefined {
  const { connection } = scope;
  const operation = 'list tags';
  const target = nextLink([header ?? []].flat().join(', '));
  if (target === undefined) return undefined;
  const link = connection.link(target, url, operation);
  if (link.origin === connection.origin.origin && link.href !== url.href) return link;
  throw connection.error(`${connection.host} links to a next page that is not one of its own`, { code: 'protocol', operation });
}
