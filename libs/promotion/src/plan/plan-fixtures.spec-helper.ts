import {
  type BlobRef,
  ContentError,
  type ContentErrorCode,
  type Descriptor,
  descriptorOf,
  type Digest,
  digestOf,
  isDigest,
  type Manifest,
  manifestFromBytes,
  mediaType,
  parseArtifactReference,
  type RepositoryName,
  type Tag,
} from '@waybill/oci-model';
import type { ImmutableTags, PlacedRegistry, PromotionPath, Topology } from '@waybill/topology';
import type { RequestedItem } from './plan-items.js';
import type { RegistryReader, RepositoryReader } from './registry-reader.js';

function registry(name: string, location: string, facts: Partial<PlacedRegistry> = {}): PlacedRegistry {
  const immutableTags: ImmutableTags = { kind: 'none' };
  return { name, role: 'prod', location, insecure: false, url: `https://${name}.example.com`, immutableTags, ...facts };
}

export const releasePath: PromotionPath = {
  name: 'release',
  from: 'ci-snapshots',
  to: ['prod'],
  repositories: ['team-*/**'],
  tags: '^v?[0-9]+\\.[0-9]+\\.[0-9]+$',
  target: '{repository}',
};

/** CI Snapshots and Prod in `eu`, a replica of Prod in `us` that does not carry `team-b`. */
export function topologyWith(path: Partial<PromotionPath> = {}): Topology {
  const immutableTags: ImmutableTags = { kind: 'all' };
  return {
    name: 'example',
    locations: { eu: { egress: { us: 0.02 } }, us: { egress: {} } },
    registries: {
      'ci-snapshots': registry('ci-snapshots', 'eu', { role: 'ci-snapshots' }),
      prod: registry('prod', 'eu', { immutableTags }),
      'prod-us': registry('prod-us', 'us', { role: 'replica', of: 'prod', immutableTags }),
      staging: registry('staging', 'eu', { role: 'staging' }),
    },
    paths: { release: { ...releasePath, ...path } },
    replications: [{ from: 'prod', to: ['prod-us'], repositories: ['team-a/**'] }],
    retention: [],
  };
}

export function requested(reference: string, tags?: readonly string[]): RequestedItem {
  return { source: parseArtifactReference(reference), ...(tags === undefined ? {} : { tags: tags as readonly Tag[] }) };
}

export function blobNamed(name: string): Descriptor {
  return { mediaType: mediaType.ociLayerGzip, digest: digestOf(Buffer.from(name)), size: Buffer.byteLength(name) };
}

export function imageOf(...layers: readonly string[]): Manifest {
  const content = { schemaVersion: 2, mediaType: mediaType.ociManifest, config: blobNamed('config'), layers: layers.map(blobNamed) };
  return manifestFromBytes(Buffer.from(JSON.stringify(content)), mediaType.ociManifest);
}

export function indexOf(...children: readonly Manifest[]): Manifest {
  const content = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: children.map(descriptorOf) };
  return manifestFromBytes(Buffer.from(JSON.stringify(content)), mediaType.ociIndex);
}

export function contentError(
  code: ContentErrorCode,
  facts: { readonly retryable?: boolean; readonly retryAfterMs?: number } = {},
): ContentError {
  return new ContentError(`the registry says ${code}`, { code, operation: 'test', ...facts });
}

/** What one repository of a `FakeReader` holds, or the error that it answers with. */
export interface FakeRepository {
  readonly tags?: Readonly<Record<string, Manifest>>;
  readonly manifests?: readonly Manifest[];
  readonly blobs?: readonly Descriptor[];
  /** Instead of the answer to a method. */
  readonly fails?: Partial<Record<keyof RepositoryReader, Error>>;
}

/** Registries in memory, by `registry/repository`; a repository that is not there answers `not-found`. */
export class FakeReader implements RegistryReader {
  /** `method reference`, in order. */
  readonly asked: string[] = [];
  readonly #content: Readonly<Record<string, FakeRepository>>;
  readonly #facts: { readonly catalogue?: AsyncIterable<RepositoryName>; readonly oneOrigin?: boolean };

  constructor(
    content: Readonly<Record<string, FakeRepository>>,
    facts: { readonly catalogue?: AsyncIterable<RepositoryName>; readonly oneOrigin?: boolean } = {},
  ) {
    this.#content = content;
    this.#facts = facts;
  }

  repository(name: string, repository: RepositoryName): RepositoryReader {
    const held = this.#content[`${name}/${repository}`];
    const answer = async <T>(method: keyof RepositoryReader, about: string, give: (from: FakeRepository) => T | undefined): Promise<T> => {
      this.asked.push(`${method} ${about}`);
      const failure = held?.fails?.[method];
      if (failure !== undefined) throw failure;
      const given = held === undefined ? undefined : give(held);
      if (given === undefined) throw contentError('not-found');
      return Promise.resolve(given);
    };
    return {
      readManifest: (reference: Digest | Tag) => answer('readManifest', reference, (from) => manifestIn(from, reference)),
      probeBlob: ({ digest }: BlobRef) => answer('probeBlob', digest, (from) => (from.blobs ?? []).some((blob) => blob.digest === digest)),
      resolveTag: async (tag: Tag) => (await answer('resolveTag', tag, (from) => ({ digest: from.tags?.[tag]?.digest }))).digest,
      listTags: () => eachOf(answer('listTags', '', (from) => Object.keys(from.tags ?? {}) as Tag[])),
    };
  }

  repositories(name: string): AsyncIterable<RepositoryName> {
    this.asked.push(`repositories ${name}`);
    if (this.#facts.catalogue !== undefined) return this.#facts.catalogue;
    const names = Object.keys(this.#content).filter((key) => key.startsWith(`${name}/`));
    return eachOf(Promise.resolve(names.map((key) => key.slice(name.length + 1) as RepositoryName)));
  }

  shareOrigin(): boolean {
    return this.#facts.oneOrigin ?? false;
  }
}

async function* eachOf<T>(list: Promise<readonly T[]>): AsyncIterable<T> {
  yield* await list;
}

function manifestIn(from: FakeRepository, reference: Digest | Tag): Manifest | undefined {
  const all = [...(from.manifests ?? []), ...Object.values(from.tags ?? {})];
  return isDigest(reference) ? all.find(({ digest }) => digest === reference) : from.tags?.[reference];
}
