import { createHash, type Hash } from 'node:crypto';
import type { Reason } from './reasons.js';
import { RetentionError } from './retention-error.js';
import type { RepositoryPlan } from './repository-plan.js';

const chunk = 64 * 1024;

/**
 * The identity of the plan of a run: everything that is decided, why, and in what order it goes.
 * Plans are added one after another, so that no more than one is ever held.
 */
export class PlanHasher {
  readonly #hash: Hash = createHash('sha256');
  readonly #spelled = new WeakMap<Reason, string>();
  #pending = '';
  #last: Pick<RepositoryPlan, 'registry' | 'repository'> | undefined;

  /** @throws RetentionError `plans-out-of-order` unless plans come by registry, then repository, by code unit, each once */
  add(plan: RepositoryPlan): void {
    if (this.#last !== undefined && !isBefore(this.#last, plan)) {
      throw new RetentionError(`the plan of ${plan.registry}/${plan.repository} comes too late to be hashed in order`, {
        code: 'plans-out-of-order',
        operation: 'hash plan',
      });
    }
    this.#last = { registry: plan.registry, repository: plan.repository };
    this.#write(['repository', plan.registry, plan.repository, plan.reclaimableBytesAtMost]);
    for (const { digest, action, archiveTo, isUnknown, isLogical, reasons } of plan.manifests) {
      this.#write(['manifest', digest, action, archiveTo ?? [], isUnknown, isLogical], reasons);
    }
    for (const { tag, digest, action, isUnknown, reasons } of plan.tags) this.#write(['tag', tag, digest, action, isUnknown], reasons);
    for (const digest of plan.deletionOrder) this.#write(['delete', digest]);
  }

  /** `sha256:<hex>` of all that was added; nothing can be added afterwards. */
  digest(): string {
    this.#hash.update(this.#pending);
    return `sha256:${this.#hash.digest('hex')}`;
  }

  /** One line of JSON for each fact: a line feed within a name is escaped there, so no two plans are spelled alike. */
  #write(facts: readonly unknown[], reasons: readonly Reason[] = []): void {
    this.#pending += `${JSON.stringify(facts)}${reasons.map((reason) => this.#spell(reason)).join('')}\n`;
    if (this.#pending.length < chunk) return;
    this.#hash.update(this.#pending);
    this.#pending = '';
  }

  #spell(reason: Reason): string {
    const known = this.#spelled.get(reason);
    if (known !== undefined) return known;
    const { code, policy, rule, digest, tag, id, more } = reason;
    const spelled = JSON.stringify([code, policy, rule, digest, tag, id, more]);
    this.#spelled.set(reason, spelled);
    return spelled;
  }
}

function isBefore(one: Pick<RepositoryPlan, 'registry' | 'repository'>, other: RepositoryPlan): boolean {
  if (one.registry !== other.registry) return one.registry < other.registry;
  return one.repository < other.repository;
}
