import { setTimeout as delay } from 'node:timers/promises';
import type { WaybillApi } from '../../../apps/cli/src/api-client/waybill-api.js';

const pollMs = 20;
const pageSize = 200;

/** Promotes images of a repository in the moment that a run deletes the first of it. */
export class Pursuit {
  readonly #api: WaybillApi;
  readonly #images: readonly string[];
  readonly #promote: (image: string) => Promise<void>;
  readonly #stop = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(api: WaybillApi, images: readonly string[], promote: (image: string) => Promise<void>) {
    this.#api = api;
    this.#images = images;
    this.#promote = promote;
  }

  begin(run: string): void {
    this.#work = this.#run(run);
    // Whoever ends the pursuit is told; until then nobody listens.
    this.#work.catch(() => undefined);
  }

  /** Resolves when all that was begun has come to an end. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #run(run: string): Promise<void> {
    const left = new Set(this.#images);
    while (!this.#stop.signal.aborted && left.size > 0) {
      const repository = await this.#repositoryAt(run, [...left].map(repositoryOf));
      const images = [...left].filter((image) => repositoryOf(image) === repository);
      for (const image of images) left.delete(image);
      await Promise.all(images.map((image) => this.#promote(image)));
      await delay(pollMs);
    }
  }

  /** One of which something is just being deleted, or was already. */
  async #repositoryAt(run: string, wanted: readonly string[]): Promise<string | undefined> {
    const { retention } = this.#api;
    const { repositories } = await retention.runRepositories(run, pageSize);
    for (const { repository, state } of repositories) {
      if (!wanted.includes(repository) || (state !== 'deleting' && state !== 'done')) continue;
      const { marks } = await retention.marks(run, pageSize, repository);
      if (marks.some((mark) => mark.state === 'deleting' || mark.state === 'deleted')) return repository;
    }
    return undefined;
  }
}

function repositoryOf(image: string): string {
  return image.slice(0, image.indexOf(':'));
}
