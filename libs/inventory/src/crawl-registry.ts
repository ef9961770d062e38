import { type ContentErrorCode, isTrashRepository, type RepositoryName } from '@waybill/oci-model';
import { atOnce } from './at-once.js';
import { lookAtRepository } from './look-at-repository.js';
import type { CrawlRecords, InventoriedRegistry, Problem, QueuedRepository } from './ports.js';
import { contentTrouble, problemOf } from './problem.js';

export interface CrawlOptions {
  readonly registry: InventoriedRegistry;
  readonly records: CrawlRecords;
  readonly mayListReferrers: boolean;
}

/** Why a crawl could not go on; undefined when it looked at everything, as well as it could. */
export type CrawlFailure = Problem | undefined;

const repositoriesAtOnce = 4;
const pageSize = 200;
/** Names that are written together. */
const namesAtOnce = 1_000;
/** So many repositories in a row that fail as any other would: the registry itself is in trouble. */
const maxTroubles = 5;

/** What registries without a catalogue, or those that keep it to themselves, answer (it is not in the specification). */
const noCatalogue: readonly ContentErrorCode[] = ['not-found', 'unsupported', 'unauthorized', 'denied'];

/**
 * One crawl of a registry, from its list of repositories to the last of them; or the rest of one that was begun.
 * Each repository's trouble is its own. Rejects when the records do, and when the signal is aborted.
 */
export async function crawlRegistry(options: CrawlOptions, signal: AbortSignal): Promise<CrawlFailure> {
  return (options.records.isListed ? undefined : await listRepositories(options, signal)) ?? (await lookAtAll(options, signal));
}

async function listRepositories({ registry, records }: CrawlOptions, signal: AbortSignal): Promise<CrawlFailure> {
  let names: RepositoryName[] = [];
  try {
    for await (const name of registry.listRepositories(signal)) {
      if (isTrashRepository(name)) continue; // it is kept account of where it is filled and emptied
      names.push(name);
      if (names.length < namesAtOnce) continue;
      await records.addRepositories(names);
      names = [];
    }
  } catch (error) {
    const trouble = contentTrouble(error, signal);
    if (!noCatalogue.includes(trouble.code)) return problemOf(trouble);
    await records.endList('records', problemOf(trouble));
    return undefined;
  }
  await records.addRepositories(names);
  await records.endList('catalogue', undefined);
  return undefined;
}

async function lookAtAll(options: CrawlOptions, signal: AbortSignal): Promise<CrawlFailure> {
  const { records } = options;
  const health = new RegistryHealth();
  let after = 0n;
  for (;;) {
    const page = await records.next(after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return undefined;
    await atOnce(page, repositoriesAtOnce, (repository) => health.pass(() => lookAt(repository, options, signal)));
    if (health.failure !== undefined) return health.failure;
    after = last.id;
  }
}

function lookAt(repository: QueuedRepository, { registry, records, mayListReferrers }: CrawlOptions, signal: AbortSignal) {
  const { isInCatalogue, name } = repository;
  const count = records.count.bind(records);
  const { kind } = records;
  const look = { kind, reader: registry.repository(name), records: records.repository(repository), isInCatalogue, mayListReferrers, count };
  return lookAtRepository(look, signal);
}

/** Whether it is worth going on to the next repository. */
class RegistryHealth {
  #troubles = 0;
  #failure: Problem | undefined;

  get failure(): CrawlFailure {
    return this.#failure;
  }

  async pass(look: () => ReturnType<typeof lookAt>): Promise<void> {
    if (this.#failure !== undefined) return;
    const looked = await look();
    const isTrouble = looked.outcome === 'failed' && looked.isOfTheRegistry;
    this.#troubles = isTrouble ? this.#troubles + 1 : 0;
    if (isTrouble && this.#troubles >= maxTroubles) this.#failure = looked.problem;
  }
}
