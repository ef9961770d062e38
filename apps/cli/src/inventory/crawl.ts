import { setTimeout as wait } from 'node:timers/promises';
import type { Crawl, CrawlList } from '@waybill/contracts/http';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { type Listing, type ListingOptions, pageSize, printListing } from './print-listing.js';

export interface CrawlOptions {
  readonly full: boolean;
  readonly wait: boolean;
  readonly json: boolean;
  readonly signal?: AbortSignal;
}

const pollMs = 500;

/** Asks that a registry is looked at now, and waits for the end if asked to; gives the exit status. */
export async function crawl(api: WaybillApi, registry: string, options: CrawlOptions, output: Output): Promise<number> {
  const { full, wait: waits, json, signal } = options;
  const asked = await api.inventory.requestCrawl(registry, { kind: full ? 'full' : 'quick' });
  if (!asked.isNew) output.error(`a ${asked.kind} crawl of ${registry} is open already`);
  if (!waits) {
    if (json) output.json(asked);
    else output.line(`crawl ${asked.id} of ${registry} is asked for; see how far it is with: waybill inventory crawls ${registry}`);
    return exitStatus.succeeded;
  }
  const ended = await untilOver(api, { registry, id: asked.id }, signal);
  if (json) output.json(ended);
  else output.line(`${registry}: ${ended.state}, ${foundText(ended)}${ended.problem === undefined ? '' : `; ${ended.problem.message}`}`);
  if (ended.state === 'failed') return exitStatus.failed;
  return ended.state === 'partial' ? exitStatus.partial : exitStatus.succeeded;
}

async function untilOver(
  api: WaybillApi,
  of: { readonly registry: string; readonly id: string },
  signal: AbortSignal | undefined,
): Promise<Crawl> {
  for (;;) {
    const seen = await look(api, of);
    if (seen?.finishedAt !== undefined) return seen;
    await wait(pollMs, undefined, { signal });
  }
}

/** Undefined while the API is away for a moment. */
async function look(api: WaybillApi, { registry, id }: { readonly registry: string; readonly id: string }): Promise<Crawl | undefined> {
  try {
    return await api.inventory.crawl(registry, id);
  } catch (error) {
    if (error instanceof ApiProblem && error.retryable) return undefined;
    throw error;
  }
}

const listing: Listing<CrawlList, Crawl> = {
  head: ['crawl', 'kind', 'state', 'asked for', 'over', 'left', 'found', 'problem'],
  name: 'crawls',
  itemsOf: ({ crawls }) => crawls,
  rowOf: (one) => [
    one.id,
    one.kind,
    one.state,
    one.requestedAt,
    one.finishedAt ?? '',
    String(one.left),
    foundText(one),
    one.problem?.message ?? '',
  ],
  empty: 'nobody has looked at this registry yet',
};

/** Crawls of a registry, newest first; gives the exit status. */
export function listCrawls(api: WaybillApi, registry: string, options: ListingOptions, output: Output): Promise<number> {
  return printListing(api.inventory.crawls(registry, { limit: pageSize(options) }), listing, options, output);
}

/** `repositories 12, tagsAdded 3` */
function foundText({ found }: Crawl): string {
  const counts = Object.entries(found).map(([what, count]) => `${what} ${count}`);
  return counts.length === 0 ? 'nothing found yet' : counts.join(', ');
}
