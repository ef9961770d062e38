import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { WaybillError } from '@waybill/kernel';
import { type LayoutManifest, OciLayout } from '@waybill/oci-layout';
import {
  type ArtifactReference,
  type ContentReader,
  type Digest,
  isRepositoryName,
  isTag,
  parseArtifactReference,
  type RepositoryName,
  type Tag,
} from '@waybill/oci-model';
import { admits, type PromotionPath, registryNamed, type Topology, TopologyError } from '@waybill/topology';

/** Why the demonstration cannot show the image it was given. */
export class DemonstrationError extends WaybillError<'no-path' | 'image-unusable'> {}

/** What to promote, and along which path. */
export interface DemonstrationPlan {
  readonly path: PromotionPath;
  /** Where the image is, or will be pushed. */
  readonly reference: ArtifactReference & { readonly tag: Tag };
  /** Content to push there first; absent when it is there already. */
  readonly content?: { readonly store: ContentReader; readonly digest: Digest };
}

/** An image on disk: a layout, and which of its manifests. */
export interface LayoutImage {
  readonly store: ContentReader;
  readonly digest: Digest;
  readonly repositories: readonly RepositoryName[];
  readonly tag: Tag;
}

const shownNames = 10;

/**
 * `text` is a reference into a registry of the topology, or the folder of an OCI layout with an optional `:tag`.
 * @throws DemonstrationError
 */
export async function planGivenImage(topology: Topology, text: string): Promise<DemonstrationPlan> {
  const layout = await findLayout(text);
  if (layout !== undefined) return planLayout(topology, await readLayout(layout));
  if (/^[./~]/.test(text)) throw unusable(`there is no folder ${text}`);
  return planReference(topology, text);
}

/** Prefers a path that ends in production; pushes to its source under the first name that it carries. */
export function planLayout(topology: Topology, image: LayoutImage): DemonstrationPlan {
  const paths = Object.values(topology.paths);
  const toProd = paths.filter(({ to }) => to.some((name) => topology.registries[name]?.role === 'prod'));
  const fromSnapshots = (path: PromotionPath): boolean => topology.registries[path.from]?.role === 'ci-snapshots';
  // Only a local registry is pushed to: it is open; elsewhere pushing is the business of whoever builds images.
  const isPushable = (path: PromotionPath): boolean => topology.registries[path.from]?.local !== undefined;
  for (const path of [...toProd.filter(fromSnapshots), ...toProd, ...paths].filter(isPushable)) {
    const repository = image.repositories.find((candidate) => admits(path, candidate, image.tag).admitted);
    if (repository === undefined) continue;
    return {
      path,
      reference: { registry: path.from, repository, tag: image.tag },
      content: { store: image.store, digest: image.digest },
    };
  }
  const message = `no path from a local registry carries an image named ${image.repositories.join(' or ')} with tag ${image.tag}`;
  throw noPath(message, paths.filter(isPushable));
}

function planReference(topology: Topology, text: string): DemonstrationPlan {
  const reference = parseReference(text);
  const { registry, repository, tag } = reference;
  if (tag === undefined) throw unusable(`${text} names no tag: write registry/repository:tag`);
  assertKnown(topology, registry);
  const from = Object.values(topology.paths).filter((path) => path.from === registry);
  if (from.length === 0) throw noPath(`no path of the topology begins at ${registry}`, []);
  const path = from.find((candidate) => admits(candidate, repository, tag).admitted);
  if (path === undefined) throw noPath(`no path of the topology carries ${text}`, from);
  return { path, reference: { ...reference, tag } };
}

function parseReference(text: string): ArtifactReference {
  try {
    return parseArtifactReference(text);
  } catch (cause) {
    if (!(cause instanceof WaybillError)) throw cause;
    throw unusable(`${text} is neither a folder nor a reference such as ci-snapshots/team-a/app:1.4.0: ${cause.message}`, cause);
  }
}

function assertKnown(topology: Topology, registry: string): void {
  try {
    registryNamed(topology, registry);
  } catch (cause) {
    if (!(cause instanceof TopologyError)) throw cause;
    const near = (cause.details['near'] as readonly string[] | undefined) ?? [];
    const hint = near.length > 0 ? `did you mean ${near.join(', ')}?` : `it has ${Object.keys(topology.registries).join(', ')}`;
    throw unusable(`${cause.message}: ${hint}`, cause);
  }
}

async function findLayout(text: string): Promise<{ readonly dir: string; readonly tag?: string } | undefined> {
  if (await isFolder(text)) return { dir: text };
  const colon = text.lastIndexOf(':');
  const dir = text.slice(0, colon);
  return colon > 0 && (await isFolder(dir)) ? { dir, tag: text.slice(colon + 1) } : undefined;
}

async function readLayout({ dir, tag }: { readonly dir: string; readonly tag?: string }): Promise<LayoutImage> {
  const layout = await openLayout(dir);
  const found = theOne(await layout.manifests(), dir, tag);
  const name = basename(resolve(dir))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  const repositories = [name, `team-demo/${name}`].filter(isRepositoryName);
  const version = tagOf(found);
  return { store: layout.store(), digest: found.descriptor.digest, repositories, tag: (isTag(version) ? version : '0.0.1') as Tag };
}

async function openLayout(dir: string): Promise<OciLayout> {
  try {
    return await OciLayout.open(dir);
  } catch (cause) {
    if (!(cause instanceof WaybillError)) throw cause;
    throw unusable(cause.message, cause);
  }
}

function theOne(manifests: readonly LayoutManifest[], dir: string, tag: string | undefined): LayoutManifest {
  const names = manifests.slice(0, shownNames).map((manifest) => `${dir}:${tagOf(manifest)}`);
  const wanted = tag === undefined ? manifests : manifests.filter((manifest) => manifest.name === tag || tagOf(manifest) === tag);
  const [found, ...others] = wanted;
  if (found === undefined) {
    throw unusable(names.length === 0 ? `${dir} holds no image` : `${dir} holds no image tagged ${tag}: name one of ${names.join(', ')}`);
  }
  if (others.length > 0) throw unusable(`${dir} holds several images: name one of ${names.join(', ')}`);
  return found;
}

/** image-spec v1.1.1, annotations.md: `org.opencontainers.image.ref.name` may be a tag or a whole reference. */
function tagOf({ name, descriptor }: LayoutManifest): string {
  return name?.split(':').at(-1) ?? descriptor.digest;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function unusable(message: string, cause?: unknown): DemonstrationError {
  return new DemonstrationError(message, { code: 'image-unusable', operation: 'find image', cause });
}

function noPath(message: string, candidates: readonly PromotionPath[]): DemonstrationError {
  const reasons = candidates.map(
    ({ name, from, repositories, tags }) => `path "${name}" from ${from} carries ${repositories.join(', ')} with tags ${tags}`,
  );
  return new DemonstrationError([message, ...reasons].join('\n  '), { code: 'no-path', operation: 'find path' });
}
