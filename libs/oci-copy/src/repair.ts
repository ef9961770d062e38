import { type Descriptor, type Digest, isDigest, type Manifest } from '@waybill/oci-model';
import { pushBlobAgain } from './copy-alone.js';
import { CopyError } from './copy-error.js';
import type { ManifestSource } from './manifest-source.js';
import type { Part } from './part.js';
import type { CopySession } from './session.js';
import { walkGraph } from './walk-graph.js';

export interface RepairContext {
  readonly session: CopySession;
  readonly manifests: ManifestSource;
}

interface Repair extends RepairContext {
  /** Asks the target to take something that names what is beneath the manifest. */
  readonly send: () => Promise<void>;
  readonly pushChild: (manifest: Manifest) => Promise<void>;
}

/**
 * Sends a manifest or its tag. A target that says that content beneath is missing, though it had shown
 * to have it, is not believed any more: a collection may have run meanwhile, or a cache may answer for a
 * store. What it was believed to have is brought again, and the manifest is sent once more; that is done
 * once for each manifest. Rejects with CopyError, `target-incomplete` when it did not help.
 */
export async function withRepair(part: Part, manifest: Manifest, repair: Repair): Promise<void> {
  try {
    await repair.send();
  } catch (error) {
    if (!isIncomplete(error) || !part.run.beginRepair(manifest.digest)) throw error;
    await bringAgain(part, manifest, { ...repair, named: namedBy(error) });
    await repair.send();
  }
}

async function bringAgain(part: Part, manifest: Manifest, repair: Repair & { readonly named: ReadonlySet<string> }): Promise<void> {
  const { session, manifests, pushChild } = repair;
  const graph = await walkGraph(manifest, {
    load: (digest) => manifests.read(digest, part.run.signal),
    side: { side: 'source' },
    settings: session.settings,
  });
  const beneath = graph.levels.flat().filter((digest) => digest !== manifest.digest);
  const doubted = doubtedOf(part, { blobs: graph.blobs, manifests: beneath, named: repair.named });
  await Promise.all(
    doubted.blobs.map((blob) => part.run.bringAgain(blob.digest, () => part.run.lane.ahead(() => pushBlobAgain(blob, part, session)))),
  );
  for (const level of graph.levels) {
    const children = level.filter((digest) => doubted.manifests.has(digest));
    await Promise.all(children.map(async (digest) => pushChild(await manifests.read(digest, part.run.signal))));
  }
  if (part.error !== undefined) throw part.error;
}

interface Beneath {
  readonly blobs: readonly Descriptor[];
  readonly manifests: readonly Digest[];
  /** What the target itself calls missing. */
  readonly named: ReadonlySet<string>;
}

/** What was not written in this run, and what the target names; when that is nothing, then everything. */
function doubtedOf({ run }: Part, { blobs, manifests, named }: Beneath) {
  const doubtedBlobs = blobs.filter(({ digest }) => named.has(digest) || run.outcomeOfBlob(digest) !== 'copied');
  const doubtedManifests = manifests.filter((digest) => named.has(digest) || run.outcomeOfManifest(digest) !== 'copied');
  const isSure = doubtedBlobs.length + doubtedManifests.length === 0;
  return { blobs: isSure ? blobs : doubtedBlobs, manifests: new Set(isSure ? manifests : doubtedManifests) };
}

function isIncomplete(error: unknown): error is CopyError {
  return error instanceof CopyError && error.code === 'target-incomplete';
}

/** The digests that a store's `blob-unknown` names, where it says them. */
function namedBy({ details }: CopyError): ReadonlySet<string> {
  const named: unknown[] = [details['digest'], details['digests']].flat();
  return new Set(named.filter((each): each is Digest => typeof each === 'string' && isDigest(each)));
}
