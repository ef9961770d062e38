import { type Digest, digestToBytes } from '@waybill/oci-model';
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
  const descriptors = new Map(
    content.manifests.flatMap(({ descriptor, children }) => [...children, descriptor].map((node) => [node.digest, node] as const)),
  );
  const edges = new Map<string, { parent: Digest; child: Digest; kind: string }>();
  for (const { descriptor, children, subject } of content.manifests) {
    const parent = descriptor.digest;
    for (const { digest: child } of children) edges.set(`${parent} ${child}`, { parent, child, kind: 'child' });
    if (subject !== undefined && descriptors.has(subject)) edges.set(`${parent} subject`, { parent, child: subject, kind: 'subject' });
  }
  const nodes = [...descriptors.values()].sort(byText(({ digest }) => digest));
  const links = [...edges].sort(byText(([key]) => key)).map(([, edge]) => edge);
  return {
    digests: nodes.map(({ digest }) => digestToBytes(digest)),
    mediaTypes: nodes.map(({ mediaType }) => mediaType),
    sizes: nodes.map(({ size }) => BigInt(size)),
    parents: links.map(({ parent }) => digestToBytes(parent)),
    children: links.map(({ child }) => digestToBytes(child)),
    kinds: links.map(({ kind }) => kind),
  };
}

function byText<T>(textOf: (value: T) => string): (one: T, other: T) => number {
  return (one, other) => (textOf(one) < textOf(other) ? -1 : 1);
}
