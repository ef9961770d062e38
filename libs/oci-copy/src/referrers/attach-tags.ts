import { type Digest, type Manifest, type ManifestView, type Tag, viewManifest } from '@waybill/oci-model';
import { CopyError } from '../copy-error.js';
import type { Part } from '../part.js';
import type { TargetRun } from '../target-run.js';
import type { Referrer } from './referrer.js';

/**
 * The tags of cosign's that do not name the referrer at the target yet. Cosign adds a signature by writing the
 * tag again with one layer more, so a tag may be moved to what contains all that it names now, and no further.
 * Rejects with CopyError, `target-conflict` when a tag names something that would be lost.
 */
export async function tagsToAttach({ run }: Part, { tags, subject }: Referrer, manifest: Manifest): Promise<Tag[]> {
  const missing: Tag[] = [];
  for (const tag of tags) {
    const current = await run.request('resolve tag', manifest.digest, (signal) => run.store.resolveTag(tag, signal));
    if (current === manifest.digest) continue;
    if (current !== undefined && !(await isContained(run, current, manifest))) throw conflict(run, { tag, subject, current, manifest });
    missing.push(tag);
  }
  return missing;
}

async function isContained(run: TargetRun, current: Digest, manifest: Manifest): Promise<boolean> {
  const there = await readView(run, current);
  if (there === 'missing') return true;
  if (there === 'unreadable') return false;
  const here = viewManifest(manifest);
  const held = new Set(contentsOf(here));
  return there.kind === here.kind && contentsOf(there).every((content) => held.has(content));
}

async function readView(run: TargetRun, digest: Digest): Promise<ManifestView | 'missing' | 'unreadable'> {
  try {
    const manifest = await run.request('read manifest', digest, (signal) => run.store.readManifest(digest, signal));
    return viewManifest(manifest);
  } catch (error) {
    if (error instanceof CopyError && error.code === 'target-missing') return 'missing';
    if (error instanceof CopyError && error.code !== 'target-invalid' && error.code !== 'target-corrupt') throw error;
    return 'unreadable';
  }
}

/** With annotations: cosign keeps the signature there, and all who sign one payload share its digest. */
function contentsOf(view: ManifestView): string[] {
  const contents = view.kind === 'image' ? view.layers : view.manifests;
  return contents.map(({ digest, annotations = {} }) => JSON.stringify([digest, ...Object.entries(annotations).toSorted(byName)]));
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function conflict(
  run: TargetRun,
  {
    tag,
    subject,
    current,
    manifest,
  }: { readonly tag: Tag; readonly subject: Digest; readonly current: Digest; readonly manifest: Manifest },
): CopyError {
  return new CopyError(`target "${run.id}": ${tag} names ${current}, which holds what ${manifest.digest} lacks; the tag is left alone`, {
    code: 'target-conflict',
    side: 'target',
    target: run.id,
    operation: 'put tag',
    digest: manifest.digest,
    details: { tag, subject, current },
  });
}
