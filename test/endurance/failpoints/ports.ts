import type { RepositoryClient } from '@waybill/oci-registry';
import type {
  ExecutionJournal,
  ExecutionRecordsStore,
  HeldTargets,
  Leftovers,
  OpenEffects,
  Outbox,
  PlanJournal,
  ProvenanceChain,
  PurgeRecords,
  RetentionLeases,
  RetentionTicks,
  RetentionTrash,
  TrashRequestLeases,
} from '@waybill/persistence';
import type { RunJournal } from '@waybill/promotion';
import type { JobQueue } from '@waybill/queue';
import type { RunRecords } from '../../../apps/worker/src/features/run-promotion/run-records.js';
import type { RereadRepository } from '../../../apps/worker/src/features/run-retention/reread-repository.js';

/**
 * - `changes`: what it does outlives the process, so it is a step with a failpoint before and after it.
 * - `may change`: as `changes`, when it gives something; nothing, zero, false or an empty list says that there was nothing to do.
 * - `lasts not`: it reads, hands out, or changes this process only.
 */
type Kind = 'changes' | 'may change' | 'lasts not';

type MethodOf<Port> = { [Name in keyof Port]: Port[Name] extends (...args: never[]) => unknown ? Name : never }[keyof Port] & string;

/** What each method of a port does. A method that is added has to be added here: until then nothing compiles. */
export type PortTable<Port> = Readonly<Record<MethodOf<Port>, Kind>>;

const records: PortTable<RunRecords> = {
  claim: 'may change',
  cancelledAmong: 'lasts not',
  tell: 'lasts not',
  renew: 'may change',
  release: 'changes',
  load: 'lasts not',
  journalOf: 'lasts not',
  close: 'changes',
};

const journal: PortTable<RunJournal> = {
  beginAttempt: 'changes',
  holdBack: 'changes',
  recordCopy: 'changes',
  recordSourceMove: 'changes',
  intendManifest: 'changes',
  settleContent: 'changes',
  advance: 'changes',
  readinessToTag: 'changes',
  acquireTag: 'changes',
  adoptExpected: 'changes',
  intendTag: 'changes',
  releaseTag: 'changes',
  settleTag: 'changes',
  unsettledEffects: 'lasts not',
  finish: 'changes',
  retryLater: 'changes',
  reject: 'may change',
};

/** Blobs, manifests (referrers are manifests too) and tags at a registry. */
const store: PortTable<RepositoryClient> = {
  readManifest: 'lasts not',
  readBlob: 'lasts not',
  probeBlob: 'lasts not',
  pushBlob: 'changes',
  mountBlob: 'changes',
  pushManifest: 'changes',
  resolveTag: 'lasts not',
  putTag: 'changes',
  listTags: 'lasts not',
  listReferrers: 'lasts not',
  listOwnReferrers: 'lasts not',
  hasManifest: 'lasts not',
  deleteManifest: 'changes',
  deleteBlob: 'changes',
  untag: 'changes',
  untagFrom: 'changes',
};

/** What `consume` hands to its handler is the step `queue.job`: taken before, to be acknowledged after. */
const queue: PortTable<JobQueue> = {
  add: 'changes',
  consume: 'lasts not',
  consumers: 'lasts not',
  health: 'lasts not',
  close: 'lasts not',
};

const outbox: PortTable<Outbox> = { relay: 'may change', redispatchDue: 'may change', openLocations: 'lasts not' };

const chain: PortTable<ProvenanceChain> = { linkPending: 'may change', about: 'lasts not', links: 'lasts not' };

const held: PortTable<HeldTargets> = { wake: 'may change' };

/** What the reconciler settles: effects of targets that have ended. */
const effects: PortTable<OpenEffects> = { claim: 'may change', settle: 'may change', settleUnreadable: 'may change' };

const leftovers: PortTable<Leftovers> = { redispatchStranded: 'may change', settleEnded: 'may change', releaseTagLeases: 'may change' };

/** Every port through which a worker changes what outlives it while it promotes. */
export const ports = { records, journal, store, queue, outbox, chain, held, effects, leftovers } as const;

const ticks: PortTable<RetentionTicks> = { take: 'may change' };

const leases: PortTable<RetentionLeases> = {
  claimPlanning: 'may change',
  claimExecution: 'may change',
  renew: 'may change',
  release: 'changes',
  fail: 'may change',
};

const plan: PortTable<PlanJournal> = {
  add: 'may change',
  pending: 'lasts not',
  planned: 'may change',
  plannedTogether: 'may change',
  unplanned: 'may change',
  finishPlan: 'may change',
};

const execution: PortTable<ExecutionJournal> = {
  repositories: 'lasts not',
  enter: 'changes',
  of: 'lasts not',
  done: 'changes',
  fail: 'changes',
  rest: 'changes',
  stop: 'changes',
  finish: 'may change',
};

const deletions: PortTable<ExecutionRecordsStore> = {
  condemned: 'lasts not',
  mark: 'changes',
  marks: 'lasts not',
  manifestOf: 'lasts not',
  spare: 'changes',
  begin: 'changes',
  settle: 'changes',
  unsettled: 'lasts not',
  requireMayAct: 'lasts not',
  pushedMeanwhile: 'lasts not',
  takenAway: 'lasts not',
  restoring: 'changes',
  restored: 'changes',
  archiving: 'changes',
  archived: 'changes',
};

/** What is seen of a repository is written down in many transactions; each is a `during`. */
const fresh: PortTable<RereadRepository> = { plan: 'changes', look: 'changes' };

const trash: PortTable<RetentionTrash> = {
  begin: 'changes',
  kept: 'changes',
  claimLeaving: 'may change',
  left: 'may change',
  leaveLater: 'changes',
  renew: 'may change',
};

/** What people asked of the trash. */
const requests: PortTable<TrashRequestLeases> = {
  claimNext: 'may change',
  renew: 'may change',
  release: 'changes',
  nextRepository: 'lasts not',
  restorables: 'lasts not',
  manifestOf: 'lasts not',
  settleRestored: 'may change',
  note: 'may change',
  finish: 'may change',
};

const purge: PortTable<PurgeRecords> = {
  open: 'lasts not',
  intend: 'changes',
  awaiting: 'may change',
  emptyTrash: 'changes',
  settle: 'may change',
  note: 'may change',
};

/** Every port through which a worker changes what outlives it while it carries retention out, beside `store` and `chain`. */
export const retentionPorts = { ticks, leases, plan, execution, deletions, fresh, trash, requests, purge } as const;

export const allPorts = { ...ports, ...retentionPorts } as const;
export type PortName = keyof typeof allPorts;

/** Steps that no promotion takes; why is for whoever reads the table of the kill matrix. */
export const notPromoting: Readonly<Record<string, string>> = {
  'store.deleteManifest': 'a promotion deletes nothing',
  'store.deleteBlob': 'a promotion deletes nothing',
  'store.untag': 'a promotion removes no tag',
  'store.untagFrom': 'a promotion removes no tag',
};

/** The name of every step, `port.method`; of what the queue hands out; and of what becomes of an upload that is broken off. */
export const steps: readonly string[] = [...stepsOf(ports), 'queue.job', 'upload.cancel'];

/** Those of retention. The queue carries none of it. */
export const retentionSteps: readonly string[] = stepsOf({ store, chain, ...retentionPorts });

/** Steps that retention does not take in the scenes in which it is killed, and why. */
export const notRetaining: Readonly<Record<string, string>> = {
  'store.deleteBlob': 'a registry collects what no manifest names',
  'store.untag': 'a tag is only taken off the very digest that was condemned',
  'purge.awaiting': 'it is for what belongs to a purged manifest in a repository that cannot be read',
  'plan.planned': 'it is for thousands of manifests; its statements are those of plannedTogether',
};

function stepsOf(tables: Readonly<Record<string, Readonly<Record<string, string>>>>): string[] {
  return Object.entries(tables).flatMap(([port, methods]) =>
    Object.entries(methods).flatMap(([method, kind]) => (kind === 'lasts not' ? [] : [`${port}.${method}`])),
  );
}
