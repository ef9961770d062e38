import type { Actor } from '@waybill/access';
import type { CreatePurge } from '@waybill/contracts/http';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import { findPurgeable, type StoredAnswer, type TopologyRevisions, type TrashRequestRow, type TrashRequests } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { registryNamed } from '@waybill/topology';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';
import { takenOver } from '../../http/taken-over.js';
import { toPurge } from './trash.mapper.js';

export interface RequestPurgeOptions {
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly requests: Pick<TrashRequests, 'create'>;
  readonly ids?: IdSource;
}

/** Records what is to be deleted at once; a worker does it. */
export class RequestPurge {
  readonly #options: RequestPurgeOptions;

  constructor(options: RequestPurgeOptions) {
    this.#options = options;
  }

  /**
   * @throws PromotionError `no-topology`
   * @throws TopologyError `registry-unknown`
   * @throws RetentionRefusal as `findPurgeable`
   */
  async request(actor: Actor, { registry, repository, digest, reason }: CreatePurge, claim: OpenClaim): Promise<StoredAnswer> {
    const { revisions, requests, ids = uuidV7 } = this.#options;
    const revision = await revisions.active();
    if (revision === undefined) throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation: 'purge' });
    const { name } = registryNamed(revision.topology, registry);
    const asked = { registry: name, digest, ...(repository === undefined ? {} : { repository }) };
    const answerOf = (row: TrashRequestRow) => jsonAnswer(202, { Location: `/api/v1/retention/purges/${row.id}` }, toPurge(row));
    const purge = { id: ids.next(), asked, by: actor.principal.id, reason };
    return takenOver(await requests.create('purge', purge, { ...claim, answerOf, find: findPurgeable }));
  }
}
