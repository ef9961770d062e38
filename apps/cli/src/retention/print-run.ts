import type { RetentionDecisions, RetentionRun, RetentionRunRepositories } from '@waybill/contracts/http';
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
    output.line(`beyond ${limit}: ${Math.ceil(planned)} where ${allowed} is allowed; as it stands nothing would be removed`);
  }
  if (run.planHash !== undefined) output.line(`plan ${run.planHash.slice(0, 12)}`);
  if (error !== undefined) output.line(`${error.code}: ${error.message}`);
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
