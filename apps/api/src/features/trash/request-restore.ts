import type { Actor } from '@waybill/access';
import type { CreateRestore } from '@waybill/contracts/http';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import {
  type AskedOfTrash,
  findRestorable,
  type RetentionRuns,
  type StoredAnswer,
  type TopologyRevisions,
  type TrashRequestRow,
  type TrashRequests,
} from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { registryNamed } from '@waybill/topology';
import { ApiError } from '../../http/api-error.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';
import { takenOver } from '../../http/taken-over.js';
import { toRestore } from './trash.mapper.js';

export interface RequestRestoreOptions {
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly runs: Pick<RetentionRuns, 'get'>;
  readonly requests: Pick<TrashRequests, 'create'>;
  readonly ids?: IdSource;
}

/** Records what is to come back; a worker brings it. */
export class RequestRestore {
  readonly #options: RequestRestoreOptions;

  constructor(options: RequestRestoreOptions) {
    this.#options = options;
  }

  /**
   * @throws PromotionError `no-topology`
   * @throws TopologyError `registry-unknown`
   * @throws ApiError `run-unknown`
   * @throws RetentionRefusal as `findRestorable`
   */
  async request(actor: Actor, body: CreateRestore, claim: OpenClaim): Promise<StoredAnswer> {
    const { requests, ids = uuidV7 } = this.#options;
    const request = { id: ids.next(), asked: await this.#asked(body), by: actor.principal.id, reason: body.reason };
    const answerOf = (row: TrashRequestRow) => jsonAnswer(202, { Location: `/api/v1/retention/restores/${row.id}` }, toRestore(row));
    return takenOver(await requests.create('restore', request, { ...claim, answerOf, find: findRestorable }));
  }

  async #asked({ registry, repository, digest, tag, run: runId }: CreateRestore): Promise<AskedOfTrash> {
    const { revisions, runs } = this.#options;
    if (runId !== undefined) {
      const run = await runs.get(runId);
      if (run === undefined) throw new ApiError('there is no such run of retention', { code: 'run-unknown' });
      return { registry: run.registry.name, run: runId };
    }
    const revision = await revisions.active();
    if (revision === undefined) throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation: 'restore' });
    const { name } = registryNamed(revision.topology, registry ?? '');
    return {
      registry: name,
      ...(repository === undefined ? {} : { repository }),
      ...(digest === undefined ? {} : { digest }),
      ...(tag === undefined ? {} : { tag }),
    };
  }
}
