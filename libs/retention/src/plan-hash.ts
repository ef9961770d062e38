import { createHash, type Hash } from 'node:crypto';
import type { Reason } from './reasons.js';
import { RetentionError } from './retention-error.js';
import type { RepositoryPlan } from './repository-plan.js';
import { drained, type Steps, stepSize } from './steps.js';

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
    drained(this.steps(plan));
  }

  /** The same in steps. @throws RetentionError as `add` */
  *steps(plan: RepositoryPlan): Steps<void> {
    if (this.#last !== undefined && !isBefore(this.#last, plan)) {
      throw new RetentionError(`the plan of ${plan.registry}/${plan.repository} comes too late to be hashed in order`, {
        code: 'plans-out-of-order',
        operation: 'hash plan',
      });
    }
    this.#last = { registry: plan.registry, repository: plan.repository };
    this.#write('repository', [plan.registry, plan.repository, String(plan.reclaimableBytesAtMost)]);
    for (const [at, { digest, action, archiveTo = [], isUnknown, isLogical, reasons }] of plan.manifests.entries()) {
      this.#write(`manifest ${action} ${isUnknown} ${isLogical}`, [digest, ...archiveTo], reasons);
      if (at % stepSize === stepSize - 1) yield;
    }
    for (const { tag, digest, action, isUnknown, reasons } of plan.tags) this.#write(`tag ${action} ${isUnknown}`, [tag, digest], reasons);
    for (const digest of plan.deletionOrder) this.#write('delete', [digest]);
  }

  /** `sha256:<hex>` of all that was added; nothing can be added afterwards. */
  digest(): string {
    this.#hash.update(this.#pending);
    return `sha256:${this.#hash.digest('hex')}`;
  }

  #write(kind: string, names: readonly string[], reasons: readonly Reason[] = []): void {
    let line = `${kind} ${names.length}`;
    for (const name of names) line += spelled(name);
    for (const reason of reasons) line += this.#spell(reason);
    this.#pending += `${line}\n`;
    if (this.#pending.length < chunk) return;
    this.#hash.update(this.#pending);
    this.#pending = '';
  }

  /** Reasons that name no artifact are made once for a rule, and are spelled once. */
  #spell(reason: Reason): string {
    const { code, policy, rule, digest, tag, id, more } = reason;
    const isShared = digest === undefined && tag === undefined;
    const known = isShared ? this.#spelled.get(reason) : undefined;
    if (known !== undefined) return known;
    const text = ` ${code}${spelled(policy)}${spelled(rule)}${spelled(digest)}${spelled(tag)}${spelled(id)} ${more ?? 0}`;
    if (isShared) this.#spelled.set(reason, text);
    return text;
  }
}

/** With its length before it, so that no two plans are spelled alike, whatever stands in a name. */
function spelled(name: string | undefined): string {
  return name === undefined ? ' -' : ` ${name.length}:${name}`;
}

function isBefore(one: Pick<RepositoryPlan, 'registry' | 'repository'>, other: RepositoryPlan): boolean {
  if (one.registry !== other.registry) return one.registry < other.registry;
  return one.repository < other.repository;
}
