import { randomUUID } from 'node:crypto';
import {
  AcceptedCrawl,
  Crawl,
  CrawlList,
  type CreateCrawl,
  InventoryManifestList,
  InventoryRepositoryList,
  InventoryTagHistory,
  InventoryTagList,
  SearchResults,
} from '@waybill/contracts/http';
import type { z } from 'zod';
import { queryOf } from './query-of.js';
import type { Call } from './waybill-api.js';

/** What a list is asked for, beside where its page begins. */
export type Query = Readonly<Record<string, string | undefined>>;

/** A repository of a registry of the topology. */
export interface RepositoryAt {
  readonly registry: string;
  readonly repository: string;
}

interface Page {
  readonly next?: string | undefined;
}

/** What the API says of the inventory: lists are read page by page, at least one. Every method rejects as those of WaybillApi. */
export class InventoryApi {
  readonly #call: <Answer>(call: Call<Answer>) => Promise<Answer>;

  constructor(call: <Answer>(call: Call<Answer>) => Promise<Answer>) {
    this.#call = call;
  }

  repositories(registry: string, query: Query): AsyncGenerator<InventoryRepositoryList> {
    return this.#pages(`${pathOf(registry)}/repositories`, InventoryRepositoryList, query);
  }

  tags(at: RepositoryAt, query: Query): AsyncGenerator<InventoryTagList> {
    return this.#pages(`${repositoryPath(at)}/tags`, InventoryTagList, query);
  }

  history(at: RepositoryAt, tag: string, query: Query): AsyncGenerator<InventoryTagHistory> {
    return this.#pages(`${repositoryPath(at)}/tags/${encodeURIComponent(tag)}/history`, InventoryTagHistory, query);
  }

  artifacts(at: RepositoryAt, query: Query): AsyncGenerator<InventoryManifestList> {
    return this.#pages(`${repositoryPath(at)}/artifacts`, InventoryManifestList, query);
  }

  search(query: Query): AsyncGenerator<SearchResults> {
    return this.#pages('/api/v1/search', SearchResults, query);
  }

  crawls(registry: string, query: Query): AsyncGenerator<CrawlList> {
    return this.#pages(`${pathOf(registry)}/crawls`, CrawlList, query);
  }

  crawl(registry: string, id: string): Promise<Crawl> {
    return this.#call<Crawl>({ method: 'GET', path: `${pathOf(registry)}/crawls/${encodeURIComponent(id)}`, answer: Crawl });
  }

  requestCrawl(registry: string, body: CreateCrawl): Promise<AcceptedCrawl> {
    const path = `${pathOf(registry)}/crawls`;
    return this.#call<AcceptedCrawl>({ method: 'POST', path, body, idempotencyKey: randomUUID(), answer: AcceptedCrawl });
  }

  async *#pages<Answer extends Page>(path: string, answer: z.ZodType<Answer>, query: Query): AsyncGenerator<Answer> {
    let cursor: string | undefined;
    do {
      const page: Answer = await this.#call<Answer>({ method: 'GET', path: `${path}?${queryOf({ ...query, cursor })}`, answer });
      yield page;
      cursor = page.next;
    } while (cursor !== undefined);
  }
}

function pathOf(registry: string): string {
  return `/api/v1/registries/${encodeURIComponent(registry)}`;
}

function repositoryPath({ registry, repository }: RepositoryAt): string {
  return `${pathOf(registry)}/repositories/${repository.split('/').map(encodeURIComponent).join('/')}`;
}
