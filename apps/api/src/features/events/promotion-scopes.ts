import type { PromotionReadModel, PromotionScope } from '@waybill/persistence';

/** Paths and repositories of a promotion never change, so they are asked for once. */
const maxKept = 10_000;

/** What grants are asked about, of many promotions and by many readers. */
export class PromotionScopes {
  readonly #promotions: Pick<PromotionReadModel, 'scopes'>;
  readonly #kept = new Map<string, PromotionScope>();

  constructor(promotions: Pick<PromotionReadModel, 'scopes'>) {
    this.#promotions = promotions;
  }

  /** By id; unknown ids are left out. */
  async of(ids: Iterable<string>): Promise<ReadonlyMap<string, PromotionScope>> {
    const wanted = [...new Set(ids)];
    const known = new Map(wanted.flatMap((id) => entryOf(id, this.#kept.get(id))));
    const found = await this.#promotions.scopes(new Set(wanted.filter((id) => !known.has(id))));
    for (const [id, scope] of found) this.#keep(id, scope);
    return new Map([...known, ...found]);
  }

  #keep(id: string, scope: PromotionScope): void {
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= maxKept && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(id, scope);
  }
}

function entryOf(id: string, scope: PromotionScope | undefined): [string, PromotionScope][] {
  return scope === undefined ? [] : [[id, scope]];
}
