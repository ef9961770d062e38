import { copyGraph, type CopyTarget, type Patience, type TargetReport, verifyGraph } from '@waybill/oci-copy';
import {
  childrenOf,
  ContentError,
  descriptorOf,
  type Digest,
  type Manifest,
  type RepositoryName,
  type Tag,
  viewManifest,
} from '@waybill/oci-model';
import type { RegistryClient, RepositoryClient } from '@waybill/oci-registry';
import type { ContentCopier, CopyOptions, CopyOutcome, ItemRun, TargetRun, VerifiedContent, VerifiedManifest } from '@waybill/promotion';
import { originOf, type RegistryClients } from '@waybill/registry-clients';
import { registryNamed, repositoryAtOrigin, type Topology } from '@waybill/topology';
import type { ReportProgress } from './report-progress.js';

export interface CopierOptions {
  readonly clients: RegistryClients;
  /** What the promotion is pinned to. */
  readonly topology: Topology;
  /** Where local registries listen now, by name. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Told of every blob on its way. */
  readonly progress?: Pick<ReportProgress, 'given' | 'arrived'>;
  /** How patient copies are; the engine's own patience unless said. */
  readonly patience?: Patience;
}

/** Manifests kept of one item, in bytes: a run has several under way. */
const manifestCacheBytes = 16 * 1024 * 1024;

/** Brings content from registry to registry with the copy engine. */
export class RegistryCopier implements ContentCopier {
  readonly #options: CopierOptions;
  /** Root manifests that verifying has read back in this run, by digest: one for each item. */
  readonly #roots = new Map<Digest, Manifest>();

  constructor(options: CopierOptions) {
    this.#options = options;
  }

  /** The engine knows targets by their registries: its messages name them, and people know no ids. */
  async copy(item: ItemRun, targets: readonly TargetRun[], options: CopyOptions): Promise<void> {
    const ids = new Map(targets.map(({ registry, id }) => [registry, id]));
    const idOf = (registry: string): string => ids.get(registry) ?? registry;
    await copyGraph(
      this.#source(item),
      item.digest,
      targets.map((target) => this.#copyTarget(item, target)),
      {
        signal: options.signal,
        hooks: {
          beforeManifest: ({ target, manifest }) => options.beforeManifest(idOf(target), manifest),
          onBytes: ({ target, blob, done }) => this.#options.progress?.given(idOf(target), blob, done),
          afterBlob: ({ target, blob, outcome }) => this.#options.progress?.arrived(idOf(target), blob, outcome),
        },
        onSettled: (registry, report) => options.onSettled(idOf(registry), toOutcome(report)),
        manifestCacheBytes,
        ...this.#options.patience,
      },
    );
  }

  async verify(item: ItemRun, target: TargetRun, presentBlobs: ReadonlySet<Digest>, signal: AbortSignal): Promise<VerifiedContent> {
    const manifests: VerifiedManifest[] = [];
    await verifyGraph(this.#repository(target.registry, target.repository), item.digest, {
      presentBlobs,
      target: target.registry,
      signal,
      onManifest: (manifest) => {
        if (manifest.digest === item.digest) this.#roots.set(manifest.digest, manifest);
        manifests.push(toVerified(manifest));
      },
    });
    return { manifests };
  }

  async holdsManifest(target: TargetRun, digest: Digest, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#repository(target.registry, target.repository).readManifest(digest, signal);
      return true;
    } catch (error) {
      if (error instanceof ContentError && error.code === 'not-found') return false;
      throw error;
    }
  }

  resolveSourceTag(item: ItemRun, tag: Tag, signal: AbortSignal): Promise<Digest | undefined> {
    return this.#source(item).resolveTag(tag, signal);
  }

  resolveTargetTag(target: TargetRun, tag: Tag, signal: AbortSignal): Promise<Digest | undefined> {
    return this.#repository(target.registry, target.repository).resolveTag(tag, signal);
  }

  async putTargetTag(item: ItemRun, target: TargetRun, tag: Tag, signal: AbortSignal): Promise<void> {
    const repository = this.#repository(target.registry, target.repository);
    // A run that goes on where another one stopped has verified nothing itself.
    const root = this.#roots.get(item.digest) ?? (await repository.readManifest(item.digest, signal));
    await repository.putTag(tag, root, signal);
  }

  #copyTarget(item: ItemRun, target: TargetRun): CopyTarget {
    const mountFrom = this.#mountSource(item, target);
    return {
      id: target.registry,
      store: this.#repository(target.registry, target.repository),
      ...(mountFrom === undefined ? {} : { mountFrom: [mountFrom] }),
    };
  }

  /** Blobs are mounted from the source when both registries stand at one origin, unless it is known not to mount. */
  #mountSource(item: ItemRun, target: TargetRun): RepositoryName | undefined {
    const from = registryNamed(this.#options.topology, item.source.registry);
    const to = registryNamed(this.#options.topology, target.registry);
    if (to.capabilities?.mount === false) return undefined;
    const origin = originOf(from, this.#options.addresses.get(from.name));
    if (origin === undefined || origin !== originOf(to, this.#options.addresses.get(to.name))) return undefined;
    return repositoryAtOrigin(from, item.source.repository);
  }

  /** A source needs no right to write. */
  #source({ source }: ItemRun): RepositoryClient {
    return this.#open(source.registry, 'read').repository(source.repository);
  }

  #repository(registry: string, repository: RepositoryName): RepositoryClient {
    return this.#open(registry, 'write').repository(repository);
  }

  #open(registry: string, access: 'read' | 'write'): RegistryClient {
    const { clients, topology, addresses } = this.#options;
    return clients.open(registryNamed(topology, registry), addresses.get(registry), access);
  }
}

function toOutcome(report: TargetReport): CopyOutcome {
  const { bytesCopied, bytesMounted, bytesSkipped } = report;
  const bytes = { bytesCopied, bytesMounted, bytesSkipped };
  switch (report.outcome) {
    case 'failed':
    case 'cancelled':
      return { ...bytes, outcome: report.outcome, error: report.error };
    default:
      return { ...bytes, outcome: report.outcome, presentBlobs: report.presentBlobs };
  }
}

function toVerified(manifest: Manifest): VerifiedManifest {
  const children = childrenOf(manifest);
  const { subject } = viewManifest(manifest);
  return {
    descriptor: descriptorOf(manifest),
    children: [...children.manifests, ...children.blobs],
    ...(subject === undefined ? {} : { subject: subject.digest }),
  };
}
