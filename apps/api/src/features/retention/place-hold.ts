import type { Actor } from '@waybill/access';
import type { CreateHold } from '@waybill/contracts/http';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { HoldRow, Holds, StoredAnswer, TopologyRevisions } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { registryNamed } from '@waybill/topology';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';
import { holdScopeOf, toHold } from './hold.mapper.js';
import { takenOver } from '../../http/taken-over.js';

export interface PlaceHoldOptions {
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly holds: Pick<Holds, 'place'>;
  readonly ids?: IdSource;
}

/** Places holds. A registry that the topology does not have is refused: the hold would hold nothing, and nobody would know. */
export class PlaceHold {
  readonly #options: PlaceHoldOptions;

  constructor(options: PlaceHoldOptions) {
    this.#options = options;
  }

  /**
   * @throws TopologyError `registry-unknown`
   * @throws PromotionError `no-topology`
   * @throws RetentionRefusal `being-deleted`
   */
  async place(actor: Actor, body: CreateHold, claim: OpenClaim): Promise<StoredAnswer> {
    const { holds, ids = uuidV7 } = this.#options;
    if (body.registry !== undefined) await this.#requireRegistry(body.registry);
    const { reason, expiresAt } = body;
    const expiry = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) };
    const hold = { id: ids.next(), on: holdScopeOf(body), reason, by: actor.principal.id, ...expiry };
    const answerOf = (row: HoldRow) => jsonAnswer(201, { Location: `/api/v1/retention/holds/${row.id}` }, toHold(row));
    return takenOver(await holds.place(hold, { ...claim, answerOf }));
  }

  async #requireRegistry(name: string): Promise<void> {
    const revision = await this.#options.revisions.active();
    if (revision === undefined) {
      throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation: 'place hold' });
    }
    registryNamed(revision.topology, name);
  }
}
