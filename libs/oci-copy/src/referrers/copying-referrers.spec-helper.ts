import { ContentError, type ContentErrorCode, type Digest, type Manifest, manifestFromBytes, parseTag } from '@waybill/oci-model';
import { buildSignedArtifact, type BuiltArtifact, MemoryStore, pushArtifact } from '@waybill/testing';
import { copyGraph } from '../copy-graph.js';
import type { CopyOptions } from '../options.js';

export const tag = parseTag('1.0.0');
export const artifact = buildSignedArtifact();
export const root = artifact.root.manifest.digest;
export const [sbom, signature, remark, ofPlatform] = artifact.referrers.map(({ manifest }) => manifest.digest) as [
  Digest,
  Digest,
  Digest,
  Digest,
];
export const [signed] = artifact.cosignTags;
export const spdx = 'application/spdx+json';

export function failing(code: ContentErrorCode, retryable = false): ContentError {
  return new ContentError('no', { code, operation: 'x', retryable });
}

export async function storeWith<Store extends MemoryStore>(content: BuiltArtifact, store: Store): Promise<Store> {
  await pushArtifact(store, content);
  store.calls.length = 0;
  return store;
}

/** Copies to `store` and gives what became of it there. */
export async function copiedTo(store: MemoryStore, options: CopyOptions & { readonly source?: MemoryStore; readonly root?: Digest } = {}) {
  const { source = await storeWith(artifact, new MemoryStore()), root: from = root, ...rest } = options;
  const report = await copyGraph(source, from, [{ id: 't', store, tags: [tag] }], { referrers: 'all', retryDelayMs: () => 0, ...rest });
  const ofTarget = report.targets.get('t');
  if (ofTarget === undefined) throw new Error('a copy reports of each of its targets');
  return ofTarget;
}

export function outcomesOf(report: Awaited<ReturnType<typeof copiedTo>>): Record<string, string> {
  return Object.fromEntries(report.referrers.map(({ referrer, outcome }) => [referrer, outcome]));
}

export function manifestOf(content: object): Manifest {
  return manifestFromBytes(Buffer.from(JSON.stringify({ schemaVersion: 2, ...content })), undefined);
}
