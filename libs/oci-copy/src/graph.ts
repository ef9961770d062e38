import { childrenOf, type Descriptor, type Digest, type Manifest, type ManifestChildren } from '@waybill/oci-model';
import { CopyError, copyErrorFrom, type Place } from './copy-error.js';
import type { GraphBounds } from './options.js';

/** Everything beneath a root, without the bytes. */
export interface Graph {
  readonly root: Digest;
  /** Manifests, each once: whatever a manifest names stands in an earlier level; the root is the last level. */
  readonly levels: readonly (readonly Digest[])[];
  /** Blobs to copy, each digest once; media type, digest and size only. */
  readonly blobs: readonly Descriptor[];
  /** Foreign layers, each digest once: references that are never copied. */
  readonly foreign: number;
}

/**
 * Collects a graph manifest by manifest and keeps it within bounds. A digest cannot be
 * part of what it is the hash of, so verified manifests never form a cycle.
 */
export class GraphBuilder {
  readonly #children = new Map<Digest, readonly Digest[]>();
  readonly #sizes = new Map<Digest, number>();
  readonly #blobs = new Map<Digest, Descriptor>();
  readonly #foreign = new Set<Digest>();
  #descriptors = 0;

  constructor(
    private readonly root: Manifest,
    private readonly place: Place,
    private readonly bounds: Required<Pick<GraphBounds, 'maxManifests' | 'maxDepth' | 'maxDescriptors'>>,
  ) {
    this.#sizes.set(root.digest, root.bytes.byteLength);
  }

  /**
   * Takes a manifest in and gives the child manifests that nobody has named before.
   * @throws CopyError `graph-too-large`, and `…-invalid` or `…-corrupt` of the side being read
   */
  add(manifest: Manifest): Digest[] {
    if (this.#sizes.get(manifest.digest) !== manifest.bytes.byteLength) {
      throw this.#fault('corrupt', manifest.digest, `has ${manifest.bytes.byteLength} bytes, not as many as its descriptor says`);
    }
    const children = this.#childrenOf(manifest);
    this.#count(children);
    const fresh = children.manifests.filter((child) => this.#declare(child)).map((child) => child.digest);
    this.#children.set(
      manifest.digest,
      children.manifests.map((child) => child.digest),
    );
    for (const blob of children.blobs) this.#addBlob(blob);
    for (const layer of children.foreign) this.#foreign.add(layer.digest);
    if (this.#sizes.size > this.bounds.maxManifests) throw this.#tooLarge(`${this.bounds.maxManifests} manifests`);
    return fresh;
  }

  /** Takes a manifest in that could not be read, as one that names nothing. */
  addMissing(digest: Digest): void {
    this.#children.set(digest, []);
  }

  /** @throws CopyError `graph-too-large` when the longest way down has more levels than allowed */
  finish(): Graph {
    const levels = this.#levels();
    this.checkDepth(levels.length);
    return { root: this.root.digest, levels, blobs: [...this.#blobs.values()], foreign: this.#foreign.size };
  }

  /** @throws CopyError `graph-too-large` */
  checkDepth(depth: number): void {
    if (depth > this.bounds.maxDepth) throw this.#tooLarge(`${this.bounds.maxDepth} levels of manifests`);
  }

  #childrenOf(manifest: Manifest): ManifestChildren {
    try {
      return childrenOf(manifest);
    } catch (cause) {
      throw copyErrorFrom(cause, { ...this.place, digest: manifest.digest });
    }
  }

  #count(children: ManifestChildren): void {
    this.#descriptors += children.manifests.length + children.blobs.length + children.foreign.length;
    if (this.#descriptors > this.bounds.maxDescriptors) throw this.#tooLarge(`${this.bounds.maxDescriptors} descriptors`);
  }

  #declare(child: Descriptor): boolean {
    const known = this.#sizes.get(child.digest);
    if (known === undefined) this.#sizes.set(child.digest, child.size);
    else if (known !== child.size) throw this.#contradiction(child.digest);
    return known === undefined;
  }

  #addBlob({ mediaType, digest, size }: Descriptor): void {
    const known = this.#blobs.get(digest);
    if (known === undefined) this.#blobs.set(digest, { mediaType, digest, size });
    else if (known.size !== size) throw this.#contradiction(digest);
  }

  /** Groups manifests by the longest way down from them, the leaves first. */
  #levels(): Digest[][] {
    const parents = new Map<Digest, Digest[]>();
    const waitingFor = new Map<Digest, number>();
    for (const [digest, children] of this.#children) {
      waitingFor.set(digest, children.length);
      for (const child of children) {
        const known = parents.get(child);
        if (known === undefined) parents.set(child, [digest]);
        else known.push(digest);
      }
    }
    const levels: Digest[][] = [];
    let level = [...this.#children.keys()].filter((digest) => waitingFor.get(digest) === 0);
    while (level.length > 0) {
      levels.push(level);
      level = level.flatMap((child) => parents.get(child) ?? []).filter((parent) => lastOf(parent, waitingFor));
    }
    return levels;
  }

  #contradiction(digest: Digest): CopyError {
    return this.#fault('invalid', digest, 'has two different sizes in the manifests that name it');
  }

  #fault(fault: 'corrupt' | 'invalid', digest: Digest, what: string): CopyError {
    return new CopyError(`${this.place.side}: ${digest} ${what}`, { ...this.place, code: `${this.place.side}-${fault}`, digest });
  }

  #tooLarge(bound: string): CopyError {
    return new CopyError(`the graph beneath ${this.root.digest} has more than ${bound}`, {
      code: 'graph-too-large',
      side: 'engine',
      operation: this.place.operation,
      digest: this.root.digest,
    });
  }
}

/** Counts one child of `parent` as placed; true when it was the last one missing. */
function lastOf(parent: Digest, waitingFor: Map<Digest, number>): boolean {
  const left = (waitingFor.get(parent) ?? 0) - 1;
  waitingFor.set(parent, left);
  return left === 0;
}
