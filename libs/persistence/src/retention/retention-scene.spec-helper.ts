import { uuidV7 } from '@waybill/kernel';
import type { RetentionPolicy, Topology } from '@waybill/topology';
import { IdempotencyKeys } from '../access/idempotency-keys.js';
import { Scene, topology } from '../scene.spec-helper.js';
import { TopologyRevisions } from '../topology/topology-revisions.js';
import type { ClaimedRequest } from './answered.js';
import { PlanJournal } from './plan-journal.js';
import { type RetentionLease, RetentionLeases } from './run-leases.js';
import { type RetentionRunRow, RetentionRuns } from './runs.js';

export const hour = 3_600_000;

export function policyNamed(name: string, change: Partial<RetentionPolicy> = {}): RetentionPolicy {
  return {
    name,
    registry: 'ci',
    origin: 'declared',
    mode: 'dryRun',
    schedule: { cron: '0 3 * * *', timezone: 'UTC' },
    repositories: { include: ['**'], exclude: [] },
    rules: [{ name: 'old', action: 'delete', match: {}, criteria: 'all', olderThan: { of: 'pushed', durationMs: 30 * 24 * hour } }],
    protect: { immutable: [], minKeepPerRepository: 3, promotedWithinMs: 0, rollbackDepth: 0 },
    limits: { maxDeletePercent: 20, maxDeleteCount: 500, maxDeleteBytes: 1e12 },
    graceMs: 24 * hour,
    ...change,
  };
}

/** A database with a topology, its policies and their runs. */
export class RetentionScene {
  readonly scene: Scene;

  private constructor(scene: Scene) {
    this.scene = scene;
  }

  static async start(): Promise<RetentionScene> {
    return new RetentionScene(await Scene.start());
  }

  get database() {
    return this.scene.database;
  }

  get by(): string {
    return this.scene.principalId;
  }

  close(): Promise<void> {
    return this.scene.close();
  }

  /** Applies a topology with these policies; gives its revision. */
  async declare(policies: readonly RetentionPolicy[], change: Partial<Topology> = {}): Promise<number> {
    const declared = { ...topology, ...change, retention: policies };
    const { revision } = await new TopologyRevisions(this.database).apply(declared, uuidV7.next(), this.by);
    return revision.number;
  }

  /** A claimed request whose answer is what was done; `done` gives it. */
  async claim<Done>(): Promise<ClaimedRequest<Done> & { readonly done: () => Done }> {
    const request = { principalId: this.by, route: 'POST /spec', key: uuidV7.next(), hash: new Uint8Array(32) };
    const claim = await new IdempotencyKeys(this.database).claim(request);
    if (claim.claim !== 'ours') throw new Error(`the claim is ${claim.claim}`);
    const seen: Done[] = [];
    return {
      request,
      token: claim.token,
      answerOf: (done) => {
        seen.push(done);
        return { status: 201, headers: {}, body: {} };
      },
      done: () => {
        const [first] = seen;
        if (first === undefined) throw new Error('nothing was done');
        return first;
      },
    };
  }

  /** A run that somebody asked for. */
  async request(policy: string, asked: { readonly isDryRun?: boolean; readonly detail?: 'all' } = {}): Promise<RetentionRunRow> {
    const claim = await this.claim<RetentionRunRow>();
    const { isDryRun = false, detail = 'removals' } = asked;
    await new RetentionRuns(this.database).request({ id: uuidV7.next(), policy, by: this.by, reason: 'spec', isDryRun, detail }, claim);
    return claim.done();
  }

  leases(leaseMs = 60_000): RetentionLeases {
    return new RetentionLeases(this.database, { leaseMs });
  }

  async lease(holder = 'worker'): Promise<RetentionLease> {
    const lease = await this.leases().claimPlanning(holder);
    if (lease === undefined) throw new Error('no run waits to be planned');
    return lease;
  }

  /** Claims the oldest run and ends it with an empty plan. */
  async planEmpty(): Promise<void> {
    const lease = await this.lease();
    await new PlanJournal(this.database, lease).finishPlan([]);
  }

  async run(id: string): Promise<RetentionRunRow> {
    const run = await new RetentionRuns(this.database).get(id);
    if (run === undefined) throw new Error(`there is no run ${id}`);
    return run;
  }

  /** As if the time of every policy had come so long ago. */
  async overdue(by: string): Promise<void> {
    await this.database.tables.$executeRaw`
      UPDATE retention_schedule SET next_due_at = now() - ${by}::interval WHERE next_due_at IS NOT NULL`;
  }
}
