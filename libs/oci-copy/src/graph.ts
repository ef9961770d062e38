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

/** A manifest that was read or is still to be read. */
interface Node {
  readonly digest: Digest;
  /** As its first descriptor said. */
  readonly size: number;
  readonly parents: Node[];
  /** Children that have no level yet. */
  waitingFor: number;
}

type Bounds = Required<Pick<GraphBounds, 'maxManifests' | 'maxDepth' | 'maxDescriptors'>>;

/** Counts what several graphs have together, so that what refers to a graph is bounded with it. */
export class GraphTally {
  manifests = 0;
  descriptors = 0;

  constructor(
    readonly root: Digest,
    readonly bounds: Bounds,
  ) {}

  /** @throws CopyError `graph-too-large` */
  addManifest(operation: string): void {
    this.manifests += 1;
    if (this.manifests > this.bounds.maxManifests) throw this.tooLarge(`${this.bounds.maxManifests} manifests`, operation);
  }

  /** @throws CopyError `graph-too-large` */
  addDescriptors(count: number, operation: string): void {
    this.descriptors += count;
    if (this.descriptors > this.bounds.maxDescriptors) throw this.tooLarge(`${this.bounds.maxDescriptors} descriptors`, operation);
  }

  tooLarge(bound: string, operation: string): CopyError {
    return new CopyError(`the graph beneath ${this.root} has more than ${bound}`, {
      code: 'graph-too-large',
      side: 'engine',
      operation,
      digest: this.root,
    });
  }
}

/**
 * Collects a graph manifest by manifest and keeps it within bounds. A digest cannot be
 * part of what it is the hash of, so verified manifests never form a cycle.
 */
export class GraphBuilder {
  readonly #nodes = new Map<Digest, Node>();
  readonly #blobs = new Map<Digest, Descriptor>();
  readonly #foreign = new Set<Digest>();

  constructor(
    private readonly root: Digest,
    private readonly place: Place,
    private readonly tally: GraphTally,
  ) {}

  /**
   * Takes a manifest in and gives the child manifests that nobody has named before.
   * @throws CopyError `graph-too-large`, and `…-invalid` or `…-corrupt` of the side being read
   */
  add(manifest: Manifest): Digest[] {
    const { digest, bytes } = manifest;
    const { node } = this.#nodeOf(digest, bytes.byteLength);
    if (node.size !== bytes.byteLength) {
      throw this.#fault('corrupt', digest, `has ${bytes.byteLength} bytes, and ${node.size} by its descriptor`);
    }
    const children = this.#childrenOf(manifest);
    this.tally.addDescriptors(children.manifests.length + children.blobs.length + children.foreign.length, this.place.operation);
    const fresh = children.manifests.filter((child) => this.#link(node, child)).map((child) => child.digest);
    for (const blob of children.blobs) this.#addBlob(blob);
    for (const layer of children.foreign) this.#foreign.add(layer.digest);
    return fresh;
  }

  /** @throws CopyError `graph-too-large` when the longest way down has more levels than allowed */
  finish(): Graph {
    const levels: Digest[][] = [];
    let level = [...this.#nodes.values()].filter((node) => node.waitingFor === 0);
    while (level.length > 0) {
      levels.push(level.map((node) => node.digest));
      level = level.flatMap((child) => child.parents).filter((parent) => (parent.waitingFor -= 1) === 0);
    }
    this.checkDepth(levels.length);
    return { root: this.root, levels, blobs: [...this.#blobs.values()], foreign: this.#foreign.size };
  }

  /** @throws CopyError `graph-too-large` */
  checkDepth(depth: number): void {
    const { maxDepth } = this.tally.bounds;
    if (depth > maxDepth) throw this.tally.tooLarge(`${maxDepth} levels of manifests`, this.place.operation);
  }

  #childrenOf(manifest: Manifest): ManifestChildren {
    try {
      return childrenOf(manifest);
    } catch (cause) {
      throw copyErrorFrom(cause, { ...this.place, digest: manifest.digest });
    }
  }

  /** True when nobody has named the child before. */
  #link(parent: Node, { digest, size }: Descriptor): boolean {
    const { node, isNew } = this.#nodeOf(digest, size);
    if (node.size !== size) throw this.#contradiction(digest);
    node.parents.push(parent);
    parent.waitingFor += 1;
    return isNew;
  }

  #nodeOf(digest: Digest, size: number): { readonly node: Node; readonly isNew: boolean } {
    const known = this.#nodes.get(digest);
    if (known !== undefined) return { node: known, isNew: false };
    this.tally.addManifest(this.place.operation);
    const node = { digest, size, parents: [], waitingFor: 0 };
    this.#nodes.set(digest, node);
    return { node, isNew: true };
  }

  #addBlob({ mediaType, digest, size }: Descriptor): void {
    const known = this.#blobs.get(digest);
    if (known === undefined) this.#blobs.set(digest, { mediaType, digest, size });
    else if (known.size !== size) throw this.#contradiction(digest);
  }

  #contradiction(digest: Digest): CopyError {
    return this.#fault('invalid', digest, 'has two different sizes in the manifests that name it');
  }

  #fault(fault: 'corrupt' | 'invalid', digest: Digest, what: string): CopyError {
    return new CopyError(`${this.place.side}: ${digest} ${what}`, { ...this.place, code: `${this.place.side}-${fault}`, digest });
  }
}
