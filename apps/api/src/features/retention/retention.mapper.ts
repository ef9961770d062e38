import type {
  RetentionApproval,
  RetentionDecisions,
  RetentionMarks,
  RetentionPolicy,
  RetentionRun,
  RetentionRunRepositories,
} from '@waybill/contracts/http';
import type { ApprovalRow, DecisionRow, MarkRow, PolicyRow, RetentionRunRow, RunRepositoryRow, StoredError } from '@waybill/persistence';

export function toRetentionPolicy(row: PolicyRow): RetentionPolicy {
  const { name, registry, revision, policy, hash, nextDueAt, lastTick, lastTickAt, approval, openRun, plannedRun, retiredAt } = row;
  return {
    ...{ name, registry: registry.name, revision, mode: policy.mode, hash, declared: { ...policy } },
    ...(nextDueAt === null ? {} : { nextDueAt: nextDueAt.toISOString() }),
    ...(lastTick === null || lastTickAt === null ? {} : { lastTick: { at: lastTickAt.toISOString(), outcome: lastTick } }),
    ...pauseOf(row),
    ...(approval === undefined ? {} : { approval: { ...approval, at: approval.at.toISOString() } }),
    ...(openRun === null ? {} : { openRun }),
    ...(plannedRun === null ? {} : { plannedRun }),
    ...(retiredAt === null ? {} : { retiredAt: retiredAt.toISOString() }),
  };
}

function pauseOf({ pausedAt, pausedBy, pauseReason }: PolicyRow): Pick<RetentionPolicy, 'pause'> {
  if (pausedAt === null || pausedBy === null || pauseReason === null) return {};
  return { pause: { by: pausedBy, at: pausedAt.toISOString(), reason: pauseReason } };
}

export function toRetentionRun(row: RetentionRunRow): RetentionRun {
  const { id, policy, registry, revision, hash, snapshot, trigger, detail, mode, state } = row;
  const { repositories, artifacts, removals, unknown, bytesAtMost, requestedBy, reason, planHash, exceeded, error } = row;
  return {
    ...{ id, policy, registry: registry.name, revision, hash, declared: { ...snapshot }, trigger, detail, mode, state },
    ...{ repositories, artifacts, removals, unknown, bytesAtMost, requestedAt: row.requestedAt.toISOString() },
    ...(requestedBy === null ? {} : { requestedBy }),
    ...(reason === null ? {} : { reason }),
    ...(planHash === null ? {} : { planHash }),
    ...(exceeded === null ? {} : { exceeded: exceeded as RetentionRun['exceeded'] }),
    ...planApprovalOf(row),
    ...{ deleted: row.deleted, spared: row.spared, failed: row.failed },
    ...(row.resumeAt === null ? {} : { resumeAt: row.resumeAt.toISOString() }),
    ...(row.cancelRequestedAt === null ? {} : { cancelRequestedAt: row.cancelRequestedAt.toISOString() }),
    ...(error === null ? {} : { error: toTrouble(error) }),
    ...(row.startedAt === null ? {} : { startedAt: row.startedAt.toISOString() }),
    ...(row.plannedAt === null ? {} : { plannedAt: row.plannedAt.toISOString() }),
    ...(row.finishedAt === null ? {} : { finishedAt: row.finishedAt.toISOString() }),
  };
}

function planApprovalOf({ planApproval }: RetentionRunRow): Pick<RetentionRun, 'planApproval'> {
  return planApproval === null ? {} : { planApproval: { ...planApproval, at: planApproval.at.toISOString() } };
}

export function toMark(row: MarkRow): RetentionMarks['marks'][number] {
  const { repository, digest, mediaType, state, reason, markedAt, dueAt, settledAt } = row;
  return {
    ...{ repository, digest, mediaType, state, markedAt: markedAt.toISOString(), dueAt: dueAt.toISOString() },
    ...(reason === null ? {} : { reason: { code: reason.code, message: reason.message } }),
    ...(settledAt === null ? {} : { settledAt: settledAt.toISOString() }),
  };
}

export function toRunRepository(row: RunRepositoryRow): RetentionRunRepositories['repositories'][number] {
  const { repository, state, artifacts, removals, unknown, bytesAtMost, kept, deleted, spared, failed, error } = row;
  const facts = { repository, state, artifacts, removals, unknown, bytesAtMost, kept: { ...kept }, deleted, spared, failed };
  return { ...facts, ...(error === null ? {} : { error: toTrouble(error) }) };
}

type DecisionView = RetentionDecisions['decisions'][number];

/** Reasons were ours when they were stored. */
export function toDecision({ repository, digest, tag, verdict, archiveTo, reasons, isUnknown, bytes }: DecisionRow): DecisionView {
  return {
    ...{ repository, digest, verdict, unknown: isUnknown, bytes, reasons: [...reasons] as DecisionView['reasons'] },
    ...(tag === '' ? {} : { tag }),
    ...(archiveTo.length === 0 ? {} : { archiveTo: [...archiveTo] }),
  };
}

export function toRetentionApproval(row: ApprovalRow): RetentionApproval {
  const { id, policy, registry, hash, runId, reason, approvedBy, approvedAt, revokedBy, revokedAt, revokeReason } = row;
  return {
    ...{ id, policy, registry, hash, run: runId, reason, approvedBy, approvedAt: approvedAt.toISOString() },
    ...(revokedBy === null ? {} : { revokedBy }),
    ...(revokedAt === null ? {} : { revokedAt: revokedAt.toISOString() }),
    ...(revokeReason === null ? {} : { revokeReason }),
  };
}

function toTrouble({ code, message, retryable }: StoredError): NonNullable<RetentionRun['error']> {
  return { code, message, retryable };
}
