import type { Actor } from '@waybill/access';
import type { AcceptedCrawl, CreateCrawl } from '@waybill/contracts/http';
import type { CrawlSchedules, RequestedCrawl, StoredAnswer } from '@waybill/persistence';
import { ApiError } from '../../http/api-error.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';
import { takenOver } from '../../http/taken-over.js';
import type { InventoryPlaces } from './inventory-places.js';

export interface RequestCrawlOptions {
  readonly places: Pick<InventoryPlaces, 'registryId'>;
  readonly schedules: Pick<CrawlSchedules, 'requestClaimed'>;
}

/** Accepts crawls of registries. They are done by workers: this process asks no registry. */
export class RequestCrawl {
  readonly #options: RequestCrawlOptions;

  constructor(options: RequestCrawlOptions) {
    this.#options = options;
  }

  /**
   * @throws TopologyError `registry-unknown`
   * @throws PromotionError `no-topology`
   * @throws ApiError `registry-not-crawled`, `request-in-flight`
   */
  async request(
    actor: Actor,
    registry: string,
    { body: { kind }, claim }: { readonly body: CreateCrawl; readonly claim: OpenClaim },
  ): Promise<StoredAnswer> {
    const { places, schedules } = this.#options;
    await places.registryId(registry);
    const answerOf = (crawl: RequestedCrawl): StoredAnswer =>
      jsonAnswer(202, { Location: `/api/v1/registries/${registry}/crawls/${crawl.id}` }, crawl satisfies AcceptedCrawl);
    const answer = await schedules.requestClaimed({ registry, kind, requestedBy: actor.principal.id }, { ...claim, answerOf });
    if (answer !== undefined) return takenOver(answer === 'taken-over' ? undefined : answer);
    throw new ApiError(`${registry} is not crawled: it is a cache or an upstream, or no worker has heard of it yet`, {
      code: 'registry-not-crawled',
    });
  }
}
