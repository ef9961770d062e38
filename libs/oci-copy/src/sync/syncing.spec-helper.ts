import { ContentError, type ContentErrorCode, parseTag } from '@waybill/oci-model';
import { buildImage, type BuiltContent, type MemoryStore, pushBuilt } from '@waybill/testing';
import type { SyncOptions, TagReport } from './sync-options.js';
import { syncRepository } from './sync-repository.js';

export const base = buildImage({ seed: 1, layerBytes: 50_000 });
export const apps = Array.from({ length: 6 }, (_, index) => buildImage({ seed: 10 + index, layers: 1, base }));
export const tagged: Readonly<Record<string, BuiltContent>> = Object.fromEntries(apps.map((app, index) => [`1.${index}.0`, app]));

export function failing(code: ContentErrorCode, retryable = false): ContentError {
  return new ContentError('no', { code, operation: 'x', retryable });
}

export async function storeWith<Store extends MemoryStore>(tags: Readonly<Record<string, BuiltContent>>, store: Store): Promise<Store> {
  for (const [tag, content] of Object.entries(tags)) {
    await pushBuilt(store, content);
    await store.putTag(parseTag(tag), content.manifest);
  }
  store.calls.length = 0;
  return store;
}

/** Syncs, and gives the outcomes by target and tag. */
export async function synced(source: MemoryStore, stores: Readonly<Record<string, MemoryStore>>, options: SyncOptions = {}) {
  const reports: TagReport[] = [];
  const targets = Object.entries(stores).map(([id, store]) => ({ id, store }));
  const report = await syncRepository(source, targets, {
    retryDelayMs: () => 0,
    onTag: (each) => void reports.push(each),
    ...options,
  });
  const outcomes = (id: string) =>
    Object.fromEntries(reports.filter(({ target }) => target === id).map(({ tag, outcome }) => [tag as string, outcome]));
  return { report, reports, outcomes };
}

export function writesOf(store: MemoryStore): string[] {
  return store.calls.filter(({ method }) => ['pushBlob', 'pushManifest', 'putTag', 'mountBlob'].includes(method)).map(({ about }) => about);
}
