import type { Actor } from '@waybill/access';
import type { CreatePause } from '@waybill/contracts/http';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { PauseScope, Pauses, StoredAnswer, TopologyRevisions } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { pathNamed, registryNamed, type Topology } from '@waybill/topology';
import { ApiError } from '../../http/api-error.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';
import { toPause } from '../../http/pause-view.js';

export interface CreatePauseOptions {
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly pauses: Pick<Pauses, 'create'>;
  readonly ids?: IdSource;
}

/** Makes pauses, of what the active topology has: a name that means nothing would hold nothing. */
export class CreatePauses {
  readonly #options: CreatePauseOptions;

  constructor(options: CreatePauseOptions) {
    this.#options = options;
  }

  /**
   * @throws TopologyError `path-unknown`, `registry-unknown`
   * @throws PromotionError `no-topology`, `already-paused`
   */
  async create(actor: Actor, body: CreatePause, claim: OpenClaim): Promise<StoredAnswer> {
    const { pauses, ids = uuidV7 } = this.#options;
    const scope = scopeOf(body);
    if (scope.scope !== 'global') requireKnown(await this.#topology(), scope);
    const pause = { ...scope, id: ids.next(), by: actor.principal.id, reason: body.reason };
    const answer = await pauses.create(pause, {
      ...claim,
      answerOf: (row) => jsonAnswer(201, { Location: `/api/v1/pauses/${row.id}` }, toPause(row)),
    });
    if (answer !== undefined) return answer;
    throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
  }

  async #topology(): Promise<Topology> {
    const revision = await this.#options.revisions.active();
    if (revision !== undefined) return revision.topology;
    throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation: 'pause' });
  }
}

/** The schema lets a name through exactly where there is one. */
function scopeOf({ scope, name = '' }: Pick<CreatePause, 'scope' | 'name'>): PauseScope {
  return scope === 'global' ? { scope } : { scope, name };
}

function requireKnown(topology: Topology, { scope, name }: Exclude<PauseScope, { scope: 'global' }>): void {
  if (scope === 'path') pathNamed(topology, name);
  else registryNamed(topology, name);
}
