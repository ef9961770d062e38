import type { Actor } from '@waybill/access';
import type { AcceptedRegistryCheck, CreateRegistryCheck } from '@waybill/contracts/http';
import { type IdSource, uuidV7 } from '@waybill/kernel';
import type { RegistryChecks, StoredAnswer, TopologyRevisions } from '@waybill/persistence';
import { PromotionError } from '@waybill/promotion';
import { registryNamed, type Topology } from '@waybill/topology';
import { ApiError } from '../../http/api-error.js';
import type { OpenClaim } from '../../http/idempotent-requests.js';
import { jsonAnswer } from '../../http/json-answer.js';

export interface RequestRegistryCheckOptions {
  readonly revisions: Pick<TopologyRevisions, 'active'>;
  readonly checks: Pick<RegistryChecks, 'create'>;
  readonly ids?: IdSource;
}

/** Accepts a check of registries. It is done by workers: this process never writes to a registry. */
export class RequestRegistryCheck {
  readonly #options: RequestRegistryCheckOptions;

  constructor(options: RequestRegistryCheckOptions) {
    this.#options = options;
  }

  /**
   * @throws TopologyError `registry-unknown`
   * @throws PromotionError `no-topology`, `topology-changed`
   * @throws ApiError `no-location`, `request-in-flight`
   */
  async request(actor: Actor, body: CreateRegistryCheck, claim: OpenClaim): Promise<StoredAnswer> {
    const { revisions, checks, ids = uuidV7 } = this.#options;
    const revision = await revisions.active();
    if (revision === undefined) {
      throw new PromotionError('no topology was applied yet', { code: 'no-topology', operation: 'check registries' });
    }
    const { number, topology } = revision;
    const names = [...new Set(body.registries ?? Object.keys(topology.registries))].sort();
    const registries = names.map((name) => ({ name, location: locationFor(topology, name) }));
    const accepted: AcceptedRegistryCheck = { id: ids.next(), revision: number, registries };
    const answer = jsonAnswer(202, { Location: `/api/v1/registry-checks/${accepted.id}` }, accepted);
    if (await checks.create({ ...accepted, requestedBy: actor.principal.id }, { ...claim, answer })) return answer;
    throw new ApiError('a repetition of this request took over', { code: 'request-in-flight', retryAfterMs: 1_000 });
  }
}

/** Where a worker stands that reaches the registry; from an upstream that stands nowhere all are as far. */
function locationFor(topology: Topology, name: string): string {
  const { location } = registryNamed(topology, name);
  const [first] = Object.keys(topology.locations);
  const from = location ?? first;
  if (from !== undefined) return from;
  throw new ApiError(`no worker can look at ${name}: the topology has no location`, { code: 'no-location' });
}
