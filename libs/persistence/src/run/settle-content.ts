import { childrenOf, descriptorOf, type Digest, digestToBytes, viewManifest } from '@waybill/oci-model';
import type { VerifiedContent } from '@waybill/promotion';

/** Descriptors and edges of what was read back, as the tables keep them. */
export interface ContentRows {
  readonly digests: Uint8Array[];
  readonly mediaTypes: string[];
  readonly sizes: bigint[];
  readonly parents: Uint8Array[];
  readonly children: Uint8Array[];
  readonly kinds: string[];
}

/** Sorted by digest, so that concurrent writers lock rows in one order. */
export function contentRows(content: VerifiedContent): ContentRows {
  const descriptors = new Map<Digest, { mediaType: string; size: number }>();
  const edges = new Map<string, { parent: Digest; child: Digest; kind: string }>();
  for (const manifest of content.manifests) {
    const children = childrenOf(manifest);
    descriptors.set(manifest.digest, descriptorOf(manifest));
    for (const child of [...children.manifests, ...children.blobs]) {
      if (!descriptors.has(child.digest)) descriptors.set(child.digest, child);
      edges.set(`${manifest.digest} ${child.digest}`, { parent: manifest.digest, child: child.digest, kind: 'child' });
    }
    const { subject } = viewManifest(manifest);
    if (subject !== undefined && descriptors.has(subject.digest)) {
      edges.set(`${manifest.digest} subject`, { parent: manifest.digest, child: subject.digest, kind: 'subject' });
    }
  }
  const nodes = [...descriptors].sort(([one], [other]) => (one < other ? -1 : 1));
  const links = [...edges].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, edge]) => edge);
  return {
    digests: nodes.map(([digest]) => digestToBytes(digest)),
    mediaTypes: nodes.map(([, { mediaType }]) => mediaType),
    sizes: nodes.map(([, { size }]) => BigInt(size)),
    parents: links.map(({ parent }) => digestToBytes(parent)),
    children: links.map(({ child }) => digestToBytes(child)),
    kinds: links.map(({ kind }) => kind),
  };
}
