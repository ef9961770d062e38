import type { Digest, Manifest, Tag } from '@waybill/oci-model';
import { type BlobJob, copyBlobs } from '../copy-blobs.js';
import type { CopyError } from '../copy-error.js';
import { copyManifests, findManifests, type ManifestContext } from '../copy-manifest.js';
import type { Graph } from '../graph.js';
import { Part } from '../part.js';
import type { ReferrerOutcome } from '../report.js';
import type { CopySession } from '../session.js';
import type { TargetRun } from '../target-run.js';
import { inTransferOrder } from '../transfer-order.js';
import { writeTag } from '../write-tags.js';
import { tagsToAttach } from './attach-tags.js';
import { factsOf, type Referrer } from './referrer.js';
import { ReferrerLists } from './referrer-lists.js';

/** Every found referrer at every target. */
export class ReferrerParts {
  readonly #parts: ReadonlyMap<TargetRun, ReadonlyMap<Referrer, Part>>;

  constructor(
    readonly referrers: readonly Referrer[],
    runs: readonly TargetRun[],
  ) {
    this.#parts = new Map(runs.map((run) => [run, new Map(referrers.map((each) => [each, new Part(run, each.required)]))]));
  }

  of(run: TargetRun): ReadonlyMap<Referrer, Part> {
    return this.#parts.get(run) ?? new Map();
  }

  /** Brings the blobs of all referrers to all targets. Never rejects. */
  async copyBlobs(session: CopySession): Promise<void> {
    const jobs = this.referrers.flatMap((referrer): BlobJob[] => {
      const parts = [...this.#parts.values()].map((ofTarget) => ofTarget.get(referrer)).filter((part) => part !== undefined);
      const blobs = inTransferOrder(referrer.graph?.blobs ?? [], session.settings.blobsInParallel);
      return blobs.map((blob) => ({ blob, parts }));
    });
    await copyBlobs(jobs, session);
  }
}

interface ReferrerContext extends ManifestContext {
  readonly lists: ReferrerLists;
  /** Why the subject is not at the target, when it has ended; absent when it is part of the root's own graph. */
  readonly subject: Promise<CopyError | undefined> | undefined;
}

/**
 * Brings the referrers to one target that has all of `main`: each after its subject, its children first, then the
 * tags that attach it. Resolves when all have arrived or failed, with the run's report of them filled in. Never rejects.
 */
export async function copyReferrers(
  run: TargetRun,
  { parts, main }: { readonly parts: ReadonlyMap<Referrer, Part>; readonly main: Graph },
  context: ManifestContext,
): Promise<void> {
  const { maxDescriptors } = context.session.settings;
  const lists = new ReferrerLists(run.store, maxDescriptors, (subject, call) => run.request('list referrers', subject, call));
  const isMain = new Set(main.levels.flat());
  const ends = new Map<Digest, Promise<CopyError | undefined>>();
  const copies = [...parts].map(async ([referrer, part]) => {
    const subject = isMain.has(referrer.subject) ? undefined : ends.get(referrer.subject);
    const ended = copyReferrer(referrer, part, { ...context, subject, lists });
    const error = ended.then((outcome) => ('error' in outcome ? outcome.error : undefined));
    for (const digest of referrer.graph?.levels.flat() ?? []) if (!ends.has(digest)) ends.set(digest, error);
    return { ...factsOf(referrer), ...(await ended) };
  });
  run.referrers.push(...(await Promise.all(copies)));
}

async function copyReferrer(referrer: Referrer, part: Part, context: ReferrerContext): Promise<ReferrerOutcome> {
  const withoutSubject = await context.subject;
  const reason = referrer.error ?? withoutSubject;
  if (reason !== undefined) part.fail(reason);
  const isTagged = await part.guard(() => bring(referrer, part, context));
  return outcomeOf(referrer, part, isTagged === true);
}

/** Gives true when a tag was written. Rejects with CopyError. */
async function bring(referrer: Referrer, part: Part, context: ReferrerContext): Promise<boolean> {
  const { graph } = referrer;
  if (graph === undefined) return false;
  await part.allBlobs(graph.blobs.length);
  if (part.error !== undefined) return false;
  const manifest = await context.manifests.read(referrer.referrer, part.run.signal);
  const tags = await tagsToAttach(part, referrer, manifest);
  const present = new Set(await findManifests(part, graph));
  if (present.has(graph.root) && (await isUnlisted(referrer, part.run, context.lists))) present.delete(graph.root);
  await copyManifests(part, graph, { ...context, present });
  let isTagged = false;
  for (const tag of tags) isTagged = (await part.guard(() => attach(part, { referrer, tag, manifest }, context))) === true || isTagged;
  return isTagged;
}

/** The copy took its time: what the tag names is judged again just before it is written. Gives true when it was written. */
async function attach(
  part: Part,
  { referrer, tag, manifest }: { readonly referrer: Referrer; readonly tag: Tag; readonly manifest: Manifest },
  context: ManifestContext,
): Promise<boolean> {
  const [missing] = await tagsToAttach(part, { ...referrer, tags: [tag] }, manifest);
  if (missing !== undefined) await writeTag(part, { tag, manifest }, context);
  return missing !== undefined;
}

/** Somebody may have pushed it to a store that keeps no list by itself, and not have written the list: pushing does. */
async function isUnlisted({ referrer, subject, isListed }: Referrer, run: TargetRun, lists: ReferrerLists): Promise<boolean> {
  return isListed && run.outcomeOfManifest(referrer) !== 'copied' && !(await lists.names(referrer, subject));
}

function outcomeOf(referrer: Referrer, { run, ownError, error }: Part, isTagged: boolean): ReferrerOutcome {
  if (error === undefined) {
    const isCopied = isTagged || run.outcomeOfManifest(referrer.referrer) === 'copied';
    return { outcome: isCopied ? 'copied' : 'already-present' };
  }
  if (ownError === undefined || ownError.code === 'aborted') return { outcome: 'cancelled', error };
  return { outcome: ownError.code === 'target-conflict' ? 'conflict' : 'failed', error };
}
