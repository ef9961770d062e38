import { uuidV7 } from '@waybill/kernel';
import type { Digest, Tag } from '@waybill/oci-model';
import type { RetentionPolicy } from '@waybill/topology';
import { type ApprovalRow, RetentionApprovals } from './approvals.js';
import { ExecutionJournal } from './execution-journal.js';
import type { ExecutionRecordsStore } from './execution-records.js';
import { named, seedRepository } from './inventory-rows.spec-helper.js';
import { type NewDecision, PlanJournal } from './plan-journal.js';
import { policyNamed, RetentionScene } from './retention-scene.spec-helper.js';
import type { RetentionLease } from './run-leases.js';

/** What a spec has planned of a repository: names of manifests, and tags by the name that they leave. */
export interface Condemning {
  readonly repository?: string;
  readonly manifests?: readonly string[];
  /** Where the manifests are to be copied first. */
  readonly archiveTo?: readonly string[];
  readonly untag?: Readonly<Record<string, string>>;
}

/** A run that acts, as far as it has come. */
export interface ActingRun {
  readonly id: string;
  readonly policy: string;
  readonly lease: RetentionLease;
  readonly journal: ExecutionJournal;
}

let policies = 0;

/** A database with an inventory and runs that act. */
export class ExecutionScene {
  readonly retention: RetentionScene;
  /** Of the registry `ci`, to which the policies belong. */
  readonly registryId: string;

  private constructor(retention: RetentionScene, registryId: string) {
    this.retention = retention;
    this.registryId = registryId;
  }

  static async start(): Promise<ExecutionScene> {
    const retention = await RetentionScene.start();
    const { id } = await retention.database.tables.registry.findFirstOrThrow({ where: { name: 'ci', replacedAt: null } });
    return new ExecutionScene(retention, id);
  }

  get database() {
    return this.retention.database;
  }

  close(): Promise<void> {
    return this.retention.close();
  }

  seed(seed: Omit<Parameters<typeof seedRepository>[1], 'registryId'>): Promise<void> {
    return seedRepository(this.database, { registryId: this.registryId, ...seed });
  }

  /** Declares a policy that acts, and approves it; gives its name. */
  async enforced(change: Partial<RetentionPolicy> = {}): Promise<string> {
    const name = change.name ?? `acting-${++policies}`;
    await this.retention.declare([policyNamed(name, { mode: 'enforce', graceMs: 0, ...change })]);
    const { id: runId } = await this.retention.request(name, { isDryRun: true });
    await this.retention.planEmpty();
    const claim = await this.retention.claim<ApprovalRow>();
    const approval = { id: uuidV7.next(), policy: name, runId, by: this.retention.by, reason: 'looked at it' };
    await new RetentionApprovals(this.database).approve(approval, claim);
    return name;
  }

  /** A run with this plan, whose state follows from it; nobody has claimed it. */
  async planned(policy: string, plan: readonly Condemning[], exceeded: readonly object[] = []): Promise<string> {
    const { id } = await this.retention.request(policy);
    const journal = new PlanJournal(this.database, await this.retention.lease());
    await journal.add(plan.map(({ repository = 'team-a/app' }) => repository));
    for (const { repository = 'team-a/app', manifests = [], archiveTo = [], untag = {} } of plan) {
      const decisions = [
        ...Object.entries(untag).map(([tag, name]) => decision(name, { tag, verdict: 'untag' })),
        ...manifests.map((name) => decision(name, { verdict: archiveTo.length === 0 ? 'delete' : 'archive', archiveTo })),
      ];
      const removals = decisions.length;
      await journal.planned(repository, [...decisions, ...(await this.#tagsOf(repository, manifests))], {
        planHash: 'ab'.repeat(32),
        artifacts: 10,
        removals,
        unknown: 0,
        bytesAtMost: 7,
        kept: {},
      });
    }
    await journal.finishPlan(exceeded);
    return id;
  }

  /** Tags go with what they name. */
  async #tagsOf(repository: string, manifests: readonly string[]): Promise<readonly NewDecision[]> {
    const rows = await this.database.tables.$queryRaw<{ name: string; digest: Digest }[]>`
      SELECT t.name, digest_text(t.digest) AS digest FROM tag t JOIN repository r ON r.id = t.repository_id
      WHERE r.name = ${repository} AND t.gone_at IS NULL ORDER BY t.name`;
    return manifests.flatMap((name) =>
      rows.filter(({ digest }) => digest === named(name)).map(({ name: tag }) => decision(name, { tag, verdict: 'delete' })),
    );
  }

  /** A run with this plan, claimed. */
  async acting(plan: readonly Condemning[], change: Partial<RetentionPolicy> = {}): Promise<ActingRun> {
    const policy = await this.enforced(change);
    const id = await this.planned(policy, plan);
    const { lease, journal } = await this.claim();
    return { id, policy, lease, journal };
  }

  async claim(holder = 'worker'): Promise<{ readonly lease: RetentionLease; readonly journal: ExecutionJournal }> {
    const lease = await this.retention.leases().claimExecution(holder);
    if (lease === undefined) throw new Error('no run is to act');
    return { lease, journal: new ExecutionJournal(this.database, lease) };
  }

  /** The worker that has the run is silent from now on. */
  async expire(): Promise<void> {
    await this.database.tables
      .$executeRaw`UPDATE retention_run SET lease_expires_at = now() - interval '1 second' WHERE lease_expires_at IS NOT NULL`;
  }

  /** Brings a repository to where its deletions begin, everything marked. */
  async toDeleting(
    { journal }: Pick<ActingRun, 'journal'>,
    manifests: readonly string[],
    repository = 'team-a/app',
  ): Promise<ExecutionRecordsStore> {
    const records = journal.of(repository);
    await journal.enter(repository, 'marking');
    await records.mark(manifests.map((name) => ({ digest: named(name) })));
    await journal.enter(repository, 'grace');
    await journal.enter(repository, 'deleting');
    return records;
  }

  async state(id: string): Promise<string> {
    return (await this.retention.run(id)).state;
  }

  /** Effects of a run, oldest first. */
  async effects(
    runId: string,
  ): Promise<
    { readonly kind: string; readonly digest: Digest; readonly tag: Tag | ''; readonly outcome: string | null; readonly records: number }[]
  > {
    return this.database.tables.$queryRaw`
      SELECT e.kind, digest_text(e.digest) AS digest, e.tag, e.outcome, count(p.id)::int AS records
      FROM effect e LEFT JOIN provenance_record p ON p.effect_id = e.id WHERE e.retention_run_id = ${runId}::uuid
      GROUP BY e.id ORDER BY e.intended_at, e.id`;
  }
}

function decision(
  name: string,
  { tag = '', verdict, archiveTo = [] }: Pick<NewDecision, 'verdict'> & { readonly tag?: string; readonly archiveTo?: readonly string[] },
): NewDecision {
  const reasons = [{ code: 'removed-by-rule', rule: 'old' }];
  return { digest: named(name), tag: tag as Tag | '', verdict, archiveTo, reasons, isUnknown: false, bytes: 7 };
}
