import { type Digest, type Manifest, parseTag } from '@waybill/oci-model';
import { blobsOf, type BuiltContent, manifestsOf, streamOf } from '@waybill/testing';
import type { Administrator } from './administrator.js';
import { bringBack, collectBesideTrash } from './bring-back.js';
import { deleteBesidePromotions } from './delete-beside-promotions.js';
import { each } from './each.js';
import { giveSpaceBack } from './give-space-back.js';
import type { Installation } from './installation.js';
import { blobBytes, pullWhole } from './look.js';
import { PromotionLane, type Promotions } from './promotions.js';
import type { Scenery } from './scenery.js';

export interface Stage {
  readonly installation: Installation;
  readonly administrator: Administrator;
  readonly sceneries: readonly Scenery[];
  readonly promotions: Promotions;
  /** What is wrong, as far as the story has come. */
  readonly problems: string[];
  readonly say: (text: string) => void;
}

/** Plays everything from the first push to the last byte given back. */
export async function play(stage: Stage): Promise<void> {
  const { administrator, installation, promotions, say, sceneries } = stage;
  await fill(stage);
  say(`${sceneries.length} repositories hold ${await blobBytes(installation.ci)} bytes`);
  await administrator.crawl();

  // What stays is promoted to the end, beside all that follows.
  const lane = new PromotionLane(sceneries.flatMap(keptImages), (image) => promotions.promote(image, { isCondemned: false }));
  try {
    const runs = await deleteBesidePromotions(stage);
    await collectBesideTrash(stage);
    await bringBack(stage, runs);
    await giveSpaceBack(stage);
  } finally {
    await lane.end();
  }
  await lookAtProd(stage);
}

/** Each blob and manifest of a repository is pushed once, as clients do that look first. */
async function fill({ installation: { ci }, sceneries }: Stage): Promise<void> {
  await each(sceneries, async ({ repository, kept, condemned }) => {
    const store = ci.repository(repository);
    const releases = [...kept.values(), ...condemned.values()];
    const contents = releases.flatMap(({ root, sbom, signatures }) => [root, sbom, ...signatures.map(({ content }) => content)]);
    for (const [digest, bytes] of new Map(contents.flatMap((content) => [...blobsOf(content)]))) {
      await store.pushBlob({ digest, size: bytes.byteLength }, streamOf(bytes));
    }
    const manifests = new Map<Digest, Manifest>(
      contents.flatMap((content) => manifestsOf(content).map((manifest) => [manifest.digest, manifest] as const)),
    );
    for (const manifest of manifests.values()) await store.pushManifest(manifest);
    for (const { tag, content } of releases.flatMap(({ signatures }) => signatures)) await store.putTag(tag, content.manifest);
    for (const [tag, { root }] of [...kept, ...condemned]) await store.putTag(parseTag(tag), root.manifest);
  });
}

async function lookAtProd({ installation: { prod }, problems, promotions, say, sceneries }: Stage): Promise<void> {
  const roots = new Map<string, BuiltContent>(
    sceneries.flatMap(({ repository, kept, condemned }) =>
      [...kept, ...condemned].map(([tag, { root }]) => [`${repository}:${tag}`, root] as const),
    ),
  );
  await each(promotions.arrived, async (image) => {
    const root = roots.get(image);
    if (root === undefined) throw new Error(`${image} is of no scenery`);
    await pullWhole(prod, image, root).catch((error: unknown) => problems.push(`prod/${image} is not whole: ${String(error)}`));
  });
  say(`${promotions.succeeded} promotions succeeded; ${promotions.arrived.size} images were pulled from Prod`);
}

function keptImages({ repository, kept }: Scenery): readonly string[] {
  return [...kept.keys()].map((tag) => `${repository}:${tag}`);
}
