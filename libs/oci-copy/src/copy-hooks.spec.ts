import { describe, expect, it } from '@jest/globals';
import { ContentError, parseTag } from '@waybill/oci-model';
import { blobsOf, buildImage, buildIndex, MemoryStore, memoryStoreWith } from '@waybill/testing';
import { copyGraph } from './copy-graph.js';
import type { CopyHooks } from './options.js';

const tag = parseTag('1.0.0');
const child = buildImage();
const built = buildIndex([child]);
const root = built.manifest.digest;

async function copied(hooks: CopyHooks, stores: Readonly<Record<string, MemoryStore>> = { t: new MemoryStore() }) {
  const targets = Object.entries(stores).map(([id, store]) => ({ id, store, tags: [tag] }));
  return (await copyGraph(await memoryStoreWith(built), root, targets, { hooks })).targets;
}

describe('hooks', () => {
  it('tell of every manifest, blob and tag, before and after', async () => {
    const told: string[] = [];
    const hooks: CopyHooks = {
      beforeManifest: ({ manifest, isRoot }) => void told.push(`before ${manifest.digest} ${isRoot}`),
      afterManifest: ({ manifest, isRoot, outcome }) => void told.push(`${outcome} ${manifest.digest} ${isRoot}`),
      afterBlob: ({ blob, outcome }) => void told.push(`${outcome} ${blob.digest}`),
      beforeTag: ({ tag: name, manifest }) => void told.push(`before ${name} ${manifest.digest}`),
      afterTag: ({ tag: name }) => void told.push(`after ${name}`),
    };

    await copied(hooks);

    expect(told.slice(0, 3).sort()).toEqual([...blobsOf(built).keys()].map((digest) => `copied ${digest}`).sort());
    expect(told.slice(3)).toEqual([
      `before ${child.manifest.digest} false`,
      `copied ${child.manifest.digest} false`,
      `before ${root} true`,
      `copied ${root} true`,
      `before ${tag} ${root}`,
      `after ${tag}`,
    ]);
  });

  it('tell nothing of writes that do not happen', async () => {
    const store = await memoryStoreWith(built);
    store.tags.set(tag, root);
    const told: string[] = [];

    await copied(
      {
        beforeManifest: () => void told.push('before manifest'),
        afterManifest: ({ outcome }) => void told.push(outcome),
        beforeTag: () => void told.push('before tag'),
        afterTag: () => void told.push('after tag'),
      },
      { t: store },
    );

    expect(told).toEqual(['already-present', 'already-present']);
  });

  it('count the bytes given to each target', async () => {
    const bytes = new Map<string, number>();

    await copied(
      { onBytes: (event) => void bytes.set(event.target, (bytes.get(event.target) ?? 0) + event.bytes) },
      { a: new MemoryStore(), b: new MemoryStore() },
    );

    const all = [...blobsOf(built).values()].reduce((sum, blob) => sum + blob.byteLength, 0);
    expect(Object.fromEntries(bytes)).toEqual({ a: all, b: all });
  });

  it('tell how far each upload is, anew when it is tried again', async () => {
    const store = new MemoryStore();
    const [blob] = blobsOf(child).keys();
    const failures = [new ContentError('gone', { code: 'unavailable', operation: 'push blob', retryable: true })];
    const push = store.pushBlob.bind(store);
    store.pushBlob = async (descriptor, content, options) => {
      const failure = descriptor.digest === blob ? failures.pop() : undefined;
      if (failure === undefined) return push(descriptor, content, options);
      for await (const chunk of content) if (chunk !== undefined) break;
      throw failure;
    };
    const told: { readonly digest: string; readonly size: number; readonly done: number; readonly bytes: number }[] = [];

    await copied({ onBytes: ({ blob: { digest, size }, bytes, done }) => void told.push({ digest, size, bytes, done }) }, { t: store });

    const ofBlob = told.filter(({ digest }) => digest === blob);
    expect(ofBlob.filter(({ bytes, done }) => bytes === done)).toHaveLength(2);
    expect(ofBlob.at(-1)?.done).toBe(ofBlob[0]?.size);
  });

  it('are waited for', async () => {
    const store = new MemoryStore();
    let pushedBefore = -1;

    await copied(
      {
        async beforeTag() {
          await new Promise((resolve) => setImmediate(resolve));
          pushedBefore = store.callsOf('putTag').length;
        },
      },
      { t: store },
    );

    expect(pushedBefore).toBe(0);
    expect(store.tags.get(tag)).toBe(root);
  });

  const names: readonly (keyof CopyHooks)[] = ['beforeManifest', 'afterManifest', 'afterBlob', 'onBytes', 'beforeTag', 'afterTag'];
  it.each(names)('fail only the target they were called for when %s does', async (name) => {
    const fail = ({ target }: { readonly target: string }) => {
      if (target === 'bad') throw new Error('the database is away');
    };

    const reports = await copied({ [name]: fail }, { bad: new MemoryStore(), good: new MemoryStore() });

    expect(reports.get('good')).toMatchObject({ outcome: 'copied' });
    expect(reports.get('bad')).toMatchObject({
      outcome: 'failed',
      error: { code: 'hook-failed', side: 'target', target: 'bad', operation: name, retryable: false },
    });
  });

  it('say whether trying again may help, and why they failed, when their error does', async () => {
    const cause = new ContentError('the budget is spent', { code: 'rate-limited', operation: 'meter', retryable: true });

    const reports = await copied({ beforeTag: () => Promise.reject(cause) });

    expect(reports.get('t')).toMatchObject({ error: { code: 'hook-failed', retryable: true, cause } });
    expect(reports.get('t')).toHaveProperty('error.message', 'target "t": the hook beforeTag failed: the budget is spent');
  });
});
