import { setTimeout as delay } from 'node:timers/promises';
import type { Collection, RetentionRun } from '@waybill/contracts/http';
import type { WaybillApi } from '../../../apps/cli/src/api-client/waybill-api.js';

const pollMs = 250;
const overWithinMs = 7_200_000;
const policy = 'branches';
const registry = 'ci-snapshots';
const reason = 'endurance';

interface RunOptions {
  readonly isDryRun?: boolean;
  /** Told the run's id. */
  readonly onBegun?: (id: string) => void;
}

/** What an administrator does, and what comes of it; each step waits until it is over. */
export class Administrator {
  readonly #api: WaybillApi;
  readonly #say: (text: string) => void;

  constructor(api: WaybillApi, say: (text: string) => void) {
    this.#api = api;
    this.#say = say;
  }

  /** Looks at the registry twice: what one crawl saw first was there before the next one began. */
  async crawl(): Promise<void> {
    const { inventory } = this.#api;
    for (let time = 0; time < 2; time += 1) {
      const { id } = await inventory.requestCrawl(registry, { kind: 'full' });
      const { state } = await this.#over('crawl', () => inventory.crawl(registry, id));
      if (state !== 'complete') throw new Error(`the crawl ended ${state}`);
    }
  }

  /** Has the policy plan, and lets it act in the words that it has. */
  async approve(): Promise<RetentionRun> {
    const plan = await this.run({ isDryRun: true });
    await this.#api.retention.approve({ policy, run: plan.id, reason });
    return plan;
  }

  async run({ isDryRun = false, onBegun }: RunOptions = {}): Promise<RetentionRun> {
    const { retention } = this.#api;
    const { id } = await retention.requestRun({ policy, dryRun: isDryRun });
    onBegun?.(id);
    const run = await this.#over(isDryRun ? 'plan' : 'run', () => retention.run(id));
    if (run.state !== 'succeeded') throw new Error(`the run ended ${run.state}: ${run.error?.message ?? ''}`);
    return run;
  }

  /** Brings back all that a run deleted; gives how many manifests. */
  async restore(run: string): Promise<number> {
    const { trash } = this.#api;
    const { id } = await trash.restore({ run, reason });
    const { state, restored, failed } = await this.#over('restore', () => trash.restoreOf(id));
    if (state !== 'succeeded') throw new Error(`the restore ended ${state}: ${failed} manifests are not back`);
    return restored;
  }

  async collect(): Promise<Collection> {
    const { id } = await this.#api.collectRegistry(registry, { reason, dryRun: false });
    const collection = await this.#over('collection', () => this.#api.collection(registry, id));
    if (collection.state !== 'complete') throw new Error(`the collection ended ${collection.state}: ${collection.error?.message ?? ''}`);
    return collection;
  }

  /** Promotions along the path wait until it is resumed. */
  async pause(path: string): Promise<() => Promise<void>> {
    const { id } = await this.#api.createPause({ scope: 'path', name: path, reason }, `pause-${path}`);
    return async () => {
      await this.#api.resumePause(id, { reason });
    };
  }

  /** Asks again and again; each new state is told. */
  async #over<Answer extends { readonly state: string; readonly finishedAt?: string | undefined }>(
    what: string,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    const deadline = performance.now() + overWithinMs;
    for (let told = ''; ;) {
      const answer = await ask();
      if (answer.state !== told) this.#say(`${what}: ${answer.state}`);
      told = answer.state;
      if (answer.finishedAt !== undefined) return answer;
      if (performance.now() > deadline) throw new Error(`the ${what} is ${answer.state} after ${overWithinMs} ms`);
      await delay(pollMs);
    }
  }
}
