import type { Digest, Tag } from '@waybill/oci-model';
import type { CopyError } from '../copy-error.js';
import { copyRoot } from '../copy-root.js';
import type { CopyReport } from '../report.js';
import type { CopySession } from '../session.js';
import { RootAtTarget } from './root-at-target.js';
import type { SyncSettings } from './sync-options.js';
import { failureOf, type SyncTotals } from './sync-totals.js';
import type { SyncedTarget } from './synced-target.js';

export interface SyncContext {
  readonly session: CopySession;
  readonly settings: SyncSettings;
  readonly totals: SyncTotals;
  readonly targets: readonly SyncedTarget[];
}

/** Brings one digest and the tags that name it to the targets that lack any of it, and tells what became of them. Never rejects. */
export async function syncRoot(root: Digest, tags: readonly Tag[], context: SyncContext): Promise<void> {
  const { session, settings, targets } = context;
  const places = targets.map((target) => new RootAtTarget(target, { root, tags, settings }));
  await Promise.all(places.map((place) => place.compare()));
  const copied = await copyWhereNeeded(root, places, session);
  for (const place of places) await tell(place, copied, { ...context, root });
}

type Copied = { readonly report: CopyReport } | { readonly error: CopyError } | undefined;

async function copyWhereNeeded(root: Digest, places: readonly RootAtTarget[], session: CopySession): Promise<Copied> {
  const targets = places.map((place) => place.copyTarget()).filter((target) => target !== undefined);
  if (targets.length === 0) return undefined;
  try {
    return { report: await copyRoot(session, root, targets) };
  } catch (error) {
    return { error: error as CopyError };
  }
}

async function tell(place: RootAtTarget, copied: Copied, { root, totals }: SyncContext & { readonly root: Digest }): Promise<void> {
  const { target, tags } = place;
  const report = copied !== undefined && 'report' in copied ? copied.report : undefined;
  const copy = report?.targets.get(target.id);
  const failure = copied !== undefined && 'error' in copied ? copied.error : errorOf(copy);
  if (copy !== undefined) totals.addCopy(target.id, copy);
  if (failure !== undefined) target.noteFailure(failure);
  for (const tag of tags) {
    const before = place.before(tag);
    await totals.add({
      tag,
      target: target.id,
      digest: root,
      ...(before === undefined ? {} : { before }),
      ...(copy === undefined ? {} : { copy }),
      unlisted: copy === undefined ? [] : (report?.unlisted ?? []),
      ...(place.outcomeOf(tag) ?? (failure === undefined ? { outcome: 'unchanged' } : failureOf(failure))),
    });
  }
}

function errorOf(copy: object | undefined): CopyError | undefined {
  return copy !== undefined && 'error' in copy ? (copy.error as CopyError) : undefined;
}
