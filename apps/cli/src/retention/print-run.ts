import type { RetentionDecisions, RetentionMarks, RetentionRun, RetentionRunRepositories } from '@waybill/contracts/http';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { formatBytes, shortDigest } from '../output/format.js';
import { drawTable } from '../output/table.js';

/** What a run says of itself in a few lines. */
export function printRun(run: RetentionRun, output: Output): void {
  const { id, policy, registry, trigger, mode, state, error, exceeded = [] } = run;
  output.line(`run ${id} of ${policy} at ${registry}: ${state}${mode === 'dryRun' ? ', a dry run' : ''} (${trigger}, ${run.requestedAt})`);
  output.line(
    `${run.removals} of ${run.artifacts} artifacts in ${run.repositories} repositories would go, at most ${formatBytes(run.bytesAtMost)}; ` +
      `${run.unknown} manifests are kept because something is not known`,
  );
  for (const { limit, allowed, planned } of exceeded) {
    output.line(
      `beyond ${limit}: ${Math.ceil(planned)} where ${allowed} is allowed${run.planApproval === undefined ? '; as it stands nothing would be removed' : ''}`,
    );
  }
  printProgress(run, output);
  if (run.planHash !== undefined) output.line(`plan ${run.planHash.slice(0, 12)}`);
  if (error !== undefined) output.line(`${error.code}: ${error.message}`);
}

/** How far a run has come that acts. */
function printProgress({ id, mode, state, deleted, spared, failed, planApproval, resumeAt }: RetentionRun, output: Output): void {
  if (mode === 'dryRun') return;
  if (planApproval !== undefined) output.line(`let beyond its limits by ${planApproval.by} at ${planApproval.at}: ${planApproval.reason}`);
  if (state === 'waiting-approval') output.line(`it waits: waybill retention approve --run ${id} --reason … lets this very plan go`);
  if (resumeAt !== undefined) output.line(`what is marked waits until ${resumeAt}`);
  if (deleted + spared + failed > 0) output.line(`${deleted} deleted, ${spared} spared, ${failed} failed`);
}

function whyOf({ state, reason, dueAt }: Pick<RetentionMarks['marks'][number], 'state' | 'reason' | 'dueAt'>): string {
  if (reason !== undefined) return `${reason.code}: ${reason.message}`;
  return state === 'marked' ? `due ${dueAt}` : '';
}

/** What a run marked, and what became of it. */
export function printMarks({ marks, next }: RetentionMarks, output: Output): void {
  if (marks.length === 0) return;
  const rows = marks.map(({ repository, digest, state, reason, dueAt }) => [
    state,
    `${repository}@${shortDigest(digest)}`,
    whyOf({ state, reason, dueAt }),
  ]);
  output.line();
  output.line(drawTable(['state', 'what', 'why'], rows));
  if (next !== undefined) output.line('not all are shown: see --limit and --repository');
}

/** What a run decided, repository by repository. */
export function printRepositories({ repositories, next }: RetentionRunRepositories, output: Output): void {
  if (repositories.length === 0) return;
  const rows = repositories.map((one) => [
    one.repository,
    one.state,
    one.artifacts,
    one.removals,
    formatBytes(one.bytesAtMost),
    one.error?.message ?? keptOf(one.kept),
  ]);
  output.line();
  output.line(drawTable(['repository', 'state', 'artifacts', 'go', 'at most', 'kept, by reason'], rows));
  if (next !== undefined) output.line('not all are shown: see --limit');
}

/** What is to become of what, and why. */
export function printDecisions({ decisions, next }: RetentionDecisions, output: Output): void {
  if (decisions.length === 0) return;
  const rows = decisions.map(({ repository, digest, tag, verdict, archiveTo = [], reasons, bytes }) => [
    archiveTo.length === 0 ? verdict : `${verdict} to ${archiveTo.join(', ')}`,
    tag === undefined ? `${repository}@${shortDigest(digest)}` : `${repository}:${tag}`,
    tag === undefined ? formatBytes(bytes) : '',
    reasons.map(toText).join('; '),
  ]);
  output.line();
  output.line(drawTable(['verdict', 'what', 'size', 'why'], rows));
  if (next !== undefined) output.line('not all are shown: see --limit and --repository');
}

export function exitStatusOfRun({ state }: RetentionRun): number {
  switch (state) {
    case 'succeeded':
    case 'partial':
    case 'failed':
    case 'cancelled':
      return exitStatus[state];
    default:
      return exitStatus.unfinished;
  }
}

function keptOf(kept: Readonly<Record<string, number>>): string {
  return Object.entries(kept)
    .sort(([, one], [, other]) => other - one)
    .map(([code, count]) => `${count} ${code}`)
    .join(', ');
}

type Reason = RetentionDecisions['decisions'][number]['reasons'][number];

function toText({ code, policy, rule, digest, tag, id, more }: Reason): string {
  const by = [policy, rule].filter((part) => part !== undefined).join('/');
  const whose = [by, tag, digest === undefined ? undefined : shortDigest(digest), id].filter((part) => part !== undefined && part !== '');
  return `${code}${whose.length === 0 ? '' : ` (${whose.join(', ')})`}${more === undefined ? '' : ` and ${more} more`}`;
}
