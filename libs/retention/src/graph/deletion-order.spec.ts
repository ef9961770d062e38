import { describe, expect, it } from '@jest/globals';
import { digest, manifest, reservedTag, snapshot, tag } from '../scene.spec-helper.js';
import type { SnapshotManifest } from '../snapshot.js';
import { buildGraph } from './artifact-graph.js';
import { deletionOrder } from './deletion-order.js';

interface Scene {
  readonly manifests: readonly SnapshotManifest[];
  /** Who signs whom by a tag. */
  readonly signatures?: Readonly<Record<string, string>>;
  readonly kept?: readonly string[];
}

function orderOf({ manifests, signatures = {}, kept = [] }: Scene): readonly string[] {
  const tags = Object.entries(signatures).map(([signature, subject]) => tag(reservedTag(subject, '.sig'), signature));
  const graph = buildGraph(snapshot({ manifests, tags }));
  const stay = new Set(kept.map((name) => graph.numbers.get(digest(name))));
  const names = new Map(manifests.map((one) => [one.digest, one]));
  return deletionOrder(graph, (number) => !stay.has(number)).map((number) => {
    const found = names.get(graph.manifests[number]?.digest ?? '');
    return String(found?.annotations['name']);
  });
}

function named(name: string, links: { readonly children?: readonly string[]; readonly subject?: string } = {}): SnapshotManifest {
  return manifest(name, { annotations: { name } }, links);
}

/** Everything in `before` comes before everything in `after`. */
function expectBefore(order: readonly string[], before: readonly string[], after: readonly string[]): void {
  for (const one of before) for (const other of after) expect(order.indexOf(one)).toBeLessThan(order.indexOf(other));
}

describe('deletionOrder', () => {
  it('gives what is removed, each once, and nothing that stays', () => {
    const manifests = [named('index', { children: ['image', 'other'] }), named('image'), named('other')];

    expect(orderOf({ manifests, kept: ['other'] })).toEqual(['index', 'image']);
  });

  it('takes a signature right after what it signs', () => {
    const manifests = ['a', 'b', 'c'].flatMap((name) => [named(name), named(`${name} signature`, { subject: name })]);

    const order = orderOf({ manifests });

    for (const name of ['a', 'b', 'c']) expect(order.indexOf(`${name} signature`)).toBe(order.indexOf(name) + 1);
  });

  it('keeps the order of what hangs beneath a cycle, and of what it hangs beneath', () => {
    const manifests = [
      named('index', { children: ['one'] }),
      named('one'),
      named('two'),
      named('note', { subject: 'two' }),
      named('note on note', { subject: 'note' }),
    ];

    const order = orderOf({ manifests, signatures: { one: 'two', two: 'one' } });

    expect(order).toHaveLength(manifests.length);
    expectBefore(order, ['index'], ['one', 'two']);
    expectBefore(order, ['one', 'two', 'index'], ['note on note']);
    expectBefore(order, ['two'], ['note']);
    expectBefore(order, ['note'], ['note on note']);
  });

  it('takes an index before its children where it refers to one of them', () => {
    const manifests = [named('index', { children: ['image', 'other'], subject: 'image' }), named('image'), named('other')];

    expectBefore(orderOf({ manifests }), ['index'], ['image', 'other']);
  });
});
