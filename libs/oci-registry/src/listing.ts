import type { RepositoryName } from '@waybill/oci-model';
import type { Connection } from './connection.js';
import type { Answer } from './exchange.js';
import { nextLink } from './link-header.js';
import type { RequestKind } from './options.js';
import { retrying } from './retry.js';

/** How many names a page is asked for; the most that Distribution gives of its catalogue. */
export const pageSize = 1000;
/** A million names at full pages; a registry that goes on is going in circles. */
const maxPages = 1000;
/** Distribution gives the whole list of tags at once, whatever page was asked for. */
const maxPageBytes = 32 * 1024 * 1024;

/** What is listed, and how a page of it is read. */
export interface Listing<Name> {
  readonly connection: Connection;
  /** Path and query of the first page. */
  readonly first: string;
  readonly kind: RequestKind;
  /** For errors, e.g. `list tags`. */
  readonly operation: string;
  readonly repository?: RepositoryName;
  /** What an answer's head shows to be wrong with the list, as an error goes on after the host. */
  readonly complaint?: (answer: Answer) => string | undefined;
  /** What the page's JSON lists; rejects or gives undefined when it is no such list. */
  readonly read: (json: unknown) => readonly Name[] | undefined;
}

/** Page after page, each asked for when it is wanted (distribution-spec v1.1.1, "Listing Tags"; the catalogue has the same pages). */
export async function* listPages<Name>(listing: Listing<Name>, signal: AbortSignal | undefined): AsyncGenerator<Name> {
  const { connection, operation } = listing;
  const seen = new Set<string>();
  let next: URL | undefined = new URL(listing.first, connection.origin);
  while (next !== undefined) {
    const url: URL = next;
    if (seen.has(url.href)) throw connection.error(`${connection.host} lists in circles`, { code: 'protocol', operation });
    if (seen.size === maxPages) throw connection.error(`${connection.host} lists without end`, { code: 'protocol', operation });
    seen.add(url.href);
    const { names, link } = await retrying({ connection, operation, signal }, () => readPage(listing, url, signal));
    yield* names;
    next = link;
  }
}

interface Page<Name> {
  readonly names: readonly Name[];
  readonly link: URL | undefined;
}

async function readPage<Name>(listing: Listing<Name>, url: URL, signal: AbortSignal | undefined): Promise<Page<Name>> {
  const { connection, kind, operation, repository } = listing;
  const answer = await connection.send({ method: 'GET', url, kind, operation, repository, access: 'read', signal });
  if (answer.status !== 200) throw await connection.refusal(answer, { operation, repository });
  const complaint = listing.complaint?.(answer);
  if (complaint !== undefined) throw await connection.rejection(answer, `${connection.host} ${complaint}`, { code: 'protocol', operation });
  const body = await connection.bodyOf(answer, { atMost: maxPageBytes, operation });
  const names = body.complete ? parse(listing, body.bytes) : undefined;
  if (names === undefined) throw connection.error(`${connection.host} gave no list`, { code: 'protocol', operation });
  return { names, link: followingPage(listing, url, answer.headers.link) };
}

function parse<Name>(listing: Listing<Name>, bytes: Uint8Array): readonly Name[] | undefined {
  try {
    return listing.read(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Pages lie at the registry itself: a listing that leads elsewhere is none of its own. */
function followingPage<Name>({ connection, operation }: Listing<Name>, url: URL, header: string | string[] | undefined): URL | undefined {
  const target = nextLink([header ?? []].flat().join(', '));
  if (target === undefined) return undefined;
  const link = connection.link(target, url, operation);
  if (link.origin === connection.origin.origin) return link;
  throw connection.error(`${connection.host} links to a next page that is not one of its own`, { code: 'protocol', operation });
}
