import { z } from 'zod';
import { Bytes, Count, Cursor, DigestText, Id, Page, TagText, Text, Timestamp } from './primitives.js';
import { markStateNames, retentionRunStateNames, verdictNames } from './retention-words.js';

const Reason = Text(2000);
const PolicyName = z.string().min(1).max(100).describe('name of a policy of the topology');
const Registry = z.string().describe('name of a registry of the topology');
const Hash = z.string().describe('SHA-256, hexadecimal');
const Next = Cursor.optional().describe('cursor of the next page; absent on the last');

const Trouble = z
  .object({
    code: z.string().describe('the kind, for programs'),
    message: z.string().describe('what went wrong'),
    retryable: z.boolean().describe('whether the same may succeed later'),
  })
  .describe('why it went wrong');

export const RetentionPolicy = z
  .object({
    name: PolicyName,
    registry: Registry,
    revision: Count.describe('the newest revision of the topology that declares it'),
    mode: z.enum(['disabled', 'dryRun', 'enforce']).describe('what it may do: nothing, plan, or act once it is approved'),
    hash: Hash.describe('SHA-256 of what decides what goes, hexadecimal; approvals bind to it'),
    declared: z
      .record(z.string(), z.unknown())
      .describe('the policy with every default filled in; durations in milliseconds, sizes in bytes'),
    nextDueAt: Timestamp.optional().describe('when it runs by itself next; absent where it never does'),
    lastTick: z
      .object({
        at: Timestamp.describe('the time that had come'),
        outcome: z.enum(['run', 'overlap', 'too-late']).describe('a run, or none: one was under way, or its window was over'),
      })
      .optional()
      .describe('the last time that it was to run by itself'),
    pause: z
      .object({ by: Id.describe('principal that wanted it'), at: Timestamp.describe('since when'), reason: z.string().describe('why') })
      .optional()
      .describe('it does not run by itself, and what somebody runs only plans'),
    approval: z
      .object({
        id: Id,
        by: Id.describe('principal that approved it'),
        at: Timestamp.describe('when'),
        reason: z.string().describe('why'),
      })
      .optional()
      .describe('somebody approved these very words for this very registry'),
    openRun: Id.optional().describe('the run that is under way'),
    plannedRun: Id.optional().describe('the newest run with a plan of these very words'),
    retiredAt: Timestamp.optional().describe('since when no revision declares it'),
  })
  .meta({ id: 'RetentionPolicy', description: 'what a registry keeps, and when that is looked at' });
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

export const RetentionPolicyList = z
  .object({ policies: z.array(RetentionPolicy).describe('by name'), next: Next })
  .meta({ id: 'RetentionPolicyList', description: 'policies, by name' });
export type RetentionPolicyList = z.infer<typeof RetentionPolicyList>;

export const ListRetentionPolicies = Page.extend({
  state: z.enum(['declared', 'all']).default('declared').describe('those of the active topology, or those too that have left it'),
});
export type ListRetentionPolicies = z.infer<typeof ListRetentionPolicies>;

export const PauseRetentionPolicy = z
  .strictObject({ reason: Reason.min(1).describe('why, for those who wonder that nothing is cleaned up') })
  .meta({ id: 'PauseRetentionPolicy', description: 'a policy is not to run by itself' });
export type PauseRetentionPolicy = z.infer<typeof PauseRetentionPolicy>;

export const ResumeRetentionPolicy = z
  .strictObject({ reason: Reason.optional().describe('why it may go on') })
  .default({})
  .meta({ id: 'ResumeRetentionPolicy', description: 'ends the pause of a policy' });
export type ResumeRetentionPolicy = z.infer<typeof ResumeRetentionPolicy>;

export const RequestRetentionRun = z
  .strictObject({
    policy: PolicyName,
    dryRun: z.boolean().default(false).describe('only plan, whatever the policy may do'),
    detail: z
      .enum(['removals', 'all'])
      .default('removals')
      .describe('which decisions can be read: those that remove something, or those that keep it too'),
    reason: Reason.optional().describe('why it is to run now'),
  })
  .meta({ id: 'RequestRetentionRun', description: 'has a policy run now' });
export type RequestRetentionRun = z.infer<typeof RequestRetentionRun>;

export const RetentionRun = z
  .object({
    id: Id,
    policy: PolicyName,
    registry: Registry,
    revision: Count.describe('the revision that declared the policy'),
    hash: Hash.describe('of the policy in the words it had when the run began'),
    declared: z.record(z.string(), z.unknown()).describe('the policy in those words'),
    trigger: z.enum(['schedule', 'manual']).describe('its time had come, or somebody asked'),
    requestedBy: Id.optional().describe('principal that asked'),
    reason: z.string().optional().describe('why'),
    detail: z.enum(['removals', 'all']).describe('which decisions can be read'),
    mode: z.enum(['dryRun', 'enforce']).describe('whether it only plans'),
    state: z
      .enum(retentionRunStateNames)
      .describe('how far it has come; partial: some repository could not be planned or cleaned up, and the next run tries again'),
    planHash: Hash.optional().describe('of the whole plan; equal for equal plans'),
    repositories: Count.describe('repositories that are planned'),
    artifacts: Count.describe('artifacts in them: what belongs to another is not counted'),
    removals: Count.describe('artifacts that would go, and tags that would be taken off'),
    unknown: Count.describe('manifests that are kept only because something is not known'),
    bytesAtMost: Bytes.describe('what would be freed at most: blobs may be shared with other repositories'),
    exceeded: z
      .array(
        z
          .object({
            limit: z.string().describe('key of the policy’s limits'),
            allowed: z.number().describe('what the policy allows'),
            planned: z.number().describe('what the plan comes to'),
          })
          .describe('one limit'),
      )
      .optional()
      .describe('limits that the plan goes beyond: nothing is removed unless somebody approves this very plan'),
    planApproval: z
      .object({ by: Id.describe('principal that let it'), at: Timestamp.describe('when'), reason: z.string().describe('why') })
      .optional()
      .describe('somebody let this very plan go beyond the limits'),
    deleted: Count.describe('manifests that are gone, and tags that were taken off'),
    spared: Count.describe('manifests that were condemned and stay'),
    failed: Count.describe('manifests of which the registry refused the deletion, or cannot say'),
    resumeAt: Timestamp.optional().describe('when it goes on, while it waits for the grace to be over'),
    cancelRequestedAt: Timestamp.optional().describe('somebody wants the rest to stay'),
    error: Trouble.optional(),
    requestedAt: Timestamp.describe('when it came about'),
    startedAt: Timestamp.optional().describe('when a worker took it up'),
    plannedAt: Timestamp.optional().describe('when its plan was complete'),
    finishedAt: Timestamp.optional().describe('when it ended'),
  })
  .meta({ id: 'RetentionRun', description: 'one run of a policy: what it decided, and what came of it' });
export type RetentionRun = z.infer<typeof RetentionRun>;

export const RetentionRunList = z
  .object({ runs: z.array(RetentionRun).describe('newest first'), next: Next })
  .meta({ id: 'RetentionRunList', description: 'runs, newest first' });
export type RetentionRunList = z.infer<typeof RetentionRunList>;

export const ListRetentionRuns = Page.extend({ policy: PolicyName.optional().describe('only those of this policy') });
export type ListRetentionRuns = z.infer<typeof ListRetentionRuns>;

export const CancelRetentionRun = z
  .strictObject({ reason: Reason.optional().describe('why') })
  .default({})
  .meta({ id: 'CancelRetentionRun', description: 'ends a run: what it has not deleted yet stays' });
export type CancelRetentionRun = z.infer<typeof CancelRetentionRun>;

export const ApproveRetentionPlan = z
  .strictObject({ reason: Reason.min(1).describe('why so much may go at once') })
  .meta({ id: 'ApproveRetentionPlan', description: 'lets one plan go beyond the limits of its policy' });
export type ApproveRetentionPlan = z.infer<typeof ApproveRetentionPlan>;

export const RetentionRunRepositories = z
  .object({
    repositories: z
      .array(
        z
          .object({
            repository: z.string().describe('relative to the registry’s prefix'),
            state: z
              .enum(['pending', 'planned', 'unplanned', 'marking', 'grace', 'deleting', 'done', 'failed'])
              .describe('how far it has come; unplanned: all of it is kept, for the reason in error'),
            artifacts: Count.describe('artifacts in it'),
            removals: Count.describe('artifacts that would go, and tags that would be taken off'),
            unknown: Count.describe('manifests that are kept only because something is not known'),
            bytesAtMost: Bytes.describe('what would be freed at most'),
            kept: z.record(z.string(), Count).describe('manifests that are kept, by the first reason of each'),
            deleted: Count.describe('manifests that are gone, and tags that were taken off'),
            spared: Count.describe('manifests that were condemned and stay'),
            failed: Count.describe('manifests of which the registry refused the deletion, or cannot say'),
            error: Trouble.optional(),
          })
          .describe('one repository'),
      )
      .describe('those that the key may read, by name'),
    next: Next,
  })
  .meta({ id: 'RetentionRunRepositories', description: 'what a run decided, repository by repository' });
export type RetentionRunRepositories = z.infer<typeof RetentionRunRepositories>;

export const ListRetentionRunRepositories = Page;
export type ListRetentionRunRepositories = z.infer<typeof ListRetentionRunRepositories>;

export const RetentionDecisions = z
  .object({
    decisions: z
      .array(
        z
          .object({
            repository: z.string().describe('relative to the registry’s prefix'),
            digest: DigestText.describe('the manifest that it is about'),
            tag: TagText.optional().describe('the tag that it is about; absent for the manifest'),
            verdict: z.enum(verdictNames).describe('what is to become of it'),
            archiveTo: z.array(z.string()).optional().describe('registries that must hold a verified copy first'),
            reasons: z
              .array(
                z
                  .object({
                    code: z.string().describe('the kind of reason, for programs'),
                    policy: z.string().optional().describe('the policy that says so'),
                    rule: z.string().optional().describe('the rule of it'),
                    digest: z.string().optional().describe('the manifest that it follows or protects'),
                    tag: z.string().optional().describe('the tag that it follows'),
                    id: z.string().optional().describe('of a hold, a promotion or a reporter'),
                    more: Count.optional().describe('how many more do the same'),
                  })
                  .describe('one reason'),
              )
              .describe('why, in a stable order'),
            unknown: z.boolean().describe('it is kept only because something is not known'),
            bytes: Bytes.describe('of the manifest and the blobs that it names itself, shared or not'),
          })
          .describe('one decision'),
      )
      .describe('those of repositories that the key may read; a page may hold fewer than its limit'),
    next: Next,
  })
  .meta({ id: 'RetentionDecisions', description: 'what is to become of what, and why; by repository, then in the order of its plan' });
export type RetentionDecisions = z.infer<typeof RetentionDecisions>;

export const ListRetentionDecisions = Page.extend({ repository: Text(255).min(1).optional().describe('only those of this repository') });
export type ListRetentionDecisions = z.infer<typeof ListRetentionDecisions>;

export const RetentionMarks = z
  .object({
    marks: z
      .array(
        z
          .object({
            repository: z.string().describe('relative to the registry’s prefix'),
            digest: DigestText.describe('the manifest that was condemned'),
            mediaType: z.string().describe('of the manifest'),
            state: z
              .enum(markStateNames)
              .describe('what became of it; deleting: the deletion may have been sent; restored: somebody pushed it in that moment'),
            reason: z
              .object({ code: z.string().describe('the kind, for programs'), message: z.string().describe('why') })
              .optional()
              .describe('why it stays, could not be deleted or was brought back'),
            markedAt: Timestamp.describe('when it was marked'),
            dueAt: Timestamp.describe('when its grace is over'),
            settledAt: Timestamp.optional().describe('when that was found out'),
          })
          .describe('one manifest'),
      )
      .describe('those of repositories that the key may read; a page may hold fewer than its limit'),
    next: Next,
  })
  .meta({ id: 'RetentionMarks', description: 'what a run marked, and what became of it; by repository, then in the order of its plan' });
export type RetentionMarks = z.infer<typeof RetentionMarks>;

export const ListRetentionMarks = Page.extend({ repository: Text(255).min(1).optional().describe('only those of this repository') });
export type ListRetentionMarks = z.infer<typeof ListRetentionMarks>;

export const CreateRetentionApproval = z
  .strictObject({
    policy: PolicyName,
    run: Id.describe('the run whose plan was looked at; it must be of the policy in its present words'),
    reason: Reason.min(1).describe('why, for those who read the record later'),
  })
  .meta({ id: 'CreateRetentionApproval', description: 'lets a policy act, in the very words it has now' });
export type CreateRetentionApproval = z.infer<typeof CreateRetentionApproval>;

export const RevokeRetentionApproval = z
  .strictObject({ reason: Reason.optional().describe('why') })
  .default({})
  .meta({ id: 'RevokeRetentionApproval', description: 'takes an approval back: the policy only plans from then on' });
export type RevokeRetentionApproval = z.infer<typeof RevokeRetentionApproval>;

export const RetentionApproval = z
  .object({
    id: Id,
    policy: PolicyName,
    registry: Registry,
    hash: Hash.describe('of the words that were approved'),
    run: Id.describe('the run whose plan was looked at'),
    reason: z.string().describe('why'),
    approvedBy: Id.describe('principal that approved it'),
    approvedAt: Timestamp.describe('when'),
    revokedBy: Id.optional().describe('principal that took it back'),
    revokedAt: Timestamp.optional().describe('when'),
    revokeReason: z.string().optional().describe('why'),
  })
  .meta({ id: 'RetentionApproval', description: 'somebody let a policy act, in the words it had' });
export type RetentionApproval = z.infer<typeof RetentionApproval>;

export const RetentionApprovalList = z
  .object({ approvals: z.array(RetentionApproval).describe('newest first'), next: Next })
  .meta({ id: 'RetentionApprovalList', description: 'approvals, newest first' });
export type RetentionApprovalList = z.infer<typeof RetentionApprovalList>;

export const ListRetentionApprovals = Page.extend({ policy: PolicyName.optional().describe('only those of this policy') });
export type ListRetentionApprovals = z.infer<typeof ListRetentionApprovals>;
