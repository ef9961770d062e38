import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { WaybillError } from '@waybill/kernel';
import { OciLayout } from '@waybill/oci-layout';
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
import { admits, type PromotionPath, type Topology } from '@waybill/topology';

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

/** `text` is a reference into a registry of the topology, or the folder of an OCI layout with an optional `:tag`. */
export async function planGivenImage(topology: Topology, text: string): Promise<DemonstrationPlan> {
  const layout = await findLayout(text);
  if (layout !== undefined) return planLayout(topology, await readLayout(layout));
  const reference = parseArtifactReference(text);
  if (reference.tag === undefined) throw unusable(`${text} names no tag: write registry/repository:tag`);
  const named = { ...reference, tag: reference.tag };
  const path = Object.values(topology.paths).find(
    (candidate) => candidate.from === named.registry && admits(candidate, named.repository, named.tag).admitted,
  );
  if (path === undefined) throw noPath(`no path of the topology carries ${text}`, topology, named);
  return { path, reference: named };
}

/** Prefers a path that ends in production; pushes to its source under the first name that it carries. */
export function planLayout(topology: Topology, image: LayoutImage): DemonstrationPlan {
  const paths = Object.values(topology.paths);
  const toProd = paths.filter(({ to }) => to.some((name) => topology.registries[name]?.role === 'prod'));
  const fromSnapshots = (path: PromotionPath) => topology.registries[path.from]?.role === 'ci-snapshots';
  for (const path of [...toProd.filter(fromSnapshots), ...toProd, ...paths]) {
    const repository = image.repositories.find((candidate) => admits(path, candidate, image.tag).admitted);
    if (repository === undefined) continue;
    return {
      path,
      reference: { registry: path.from, repository, tag: image.tag },
      content: { store: image.store, digest: image.digest },
    };
  }
  throw noPath(`no path of the topology carries an image named ${image.repositories.join(' or ')}, tag ${image.tag}`, topology);
}

async function findLayout(text: string): Promise<{ readonly dir: string; readonly tag?: string } | undefined> {
  if (await isFolder(text)) return { dir: text };
  const colon = text.lastIndexOf(':');
  const dir = text.slice(0, colon);
  return colon > 0 && (await isFolder(dir)) ? { dir, tag: text.slice(colon + 1) } : undefined;
}

async function readLayout({ dir, tag }: { readonly dir: string; readonly tag?: string }): Promise<LayoutImage> {
  const layout = await OciLayout.open(dir);
  const manifests = await layout.manifests();
  const tagged = tag === undefined ? manifests : manifests.filter(({ name }) => name === tag);
  const [found, ...others] = tagged;
  if (found === undefined) throw unusable(tag === undefined ? `${dir} holds no image` : `${dir} holds no image tagged ${tag}`);
  if (others.length > 0)
    throw unusable(`${dir} holds several images: name one as ${dir}:${tagged.map(({ name }) => name ?? '?').join(', :')}`);
  const name = basename(resolve(dir))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  const repositories = [name, `team-demo/${name}`].filter(isRepositoryName);
  const version = found.name?.split(':').at(-1) ?? '0.0.1';
  return { store: layout.store(), digest: found.descriptor.digest, repositories, tag: (isTag(version) ? version : '0.0.1') as Tag };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function unusable(message: string): DemonstrationError {
  return new DemonstrationError(message, { code: 'image-unusable', operation: 'find image' });
}

function noPath(
  message: string,
  topology: Topology,
  reference?: { readonly registry: string; readonly repository: string; readonly tag: string },
): DemonstrationError {
  const reasons = Object.values(topology.paths)
    .filter(({ from }) => reference === undefined || from === reference.registry)
    .map((path) => `path "${path.name}" from ${path.from} carries ${path.repositories.join(', ')} with tags ${path.tags}`);
  return new DemonstrationError([message, ...reasons].join('; '), { code: 'no-path', operation: 'find path' });
}
