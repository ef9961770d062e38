import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@waybill/oci-model';
import type { RemovalRule } from '@waybill/topology';
import * as scene from '../scene.spec-helper.js';
import { Confirmed } from './confirmed.js';
import type { Condemned } from './ports.js';

const named = (name: string): Digest => scene.digest(name) as Digest;

const snapshot = scene.snapshot({
  manifests: [scene.manifest('index', {}, { children: ['amd64'] }), scene.manifest('amd64'), scene.manifest('lone')],
  tags: [scene.tag('br-1', 'index'), scene.tag('br-2', 'lone')],
});

/** What was planned when everything was to be archived at these registries, or deleted where there are none. */
function condemnedTo(archiveTo: readonly string[]): readonly Condemned[] {
  return ['br-1 index', 'br-2 lone', ' index', ' amd64', ' lone'].map((row, position) => {
    const [tag = '', name = ''] = row.split(' ');
    const verdict = archiveTo.length === 0 ? 'delete' : 'archive';
    return {
      ...{ position, verdict, archiveTo, isRead: true },
      digest: named(name),
      tag: tag as Condemned['tag'],
      reasons: ['removed-by-rule'],
    };
  });
}

/** Who is spared when today’s rule says so of `br-1`, and deletes all else. */
function sparedBy(rule: Omit<RemovalRule, 'name' | 'match' | 'criteria'>, archivedTo: readonly string[]): readonly unknown[] {
  const branch = { name: 'branch', match: { tags: { glob: ['br-1'] } }, criteria: 'all', ...rule } as RemovalRule;
  const rest = { name: 'rest', match: { tags: { glob: ['br-2'] } }, criteria: 'all', action: 'delete' } as RemovalRule;
  const plan = scene.planOf([scene.policy([branch, rest])], snapshot);
  const marks = ['index', 'amd64', 'lone'].map((name) => ({ digest: named(name), state: 'marked' as const }));
  return Confirmed.of({ condemned: condemnedTo(archivedTo), marks }, { snapshot, plan }).spared;
}

describe('Confirmed, where today’s plan archives', () => {
  const toBeArchived = { code: 'plan-changed', message: 'today it would be archived first: archive' };

  it('spares what the stored plan only deletes, with all that belongs to it', () => {
    const spared = sparedBy({ action: 'archive', to: 'archive' }, []);

    expect(spared).toEqual([
      { digest: named('index'), reason: toBeArchived },
      { digest: named('amd64'), reason: toBeArchived },
    ]);
  });

  it('spares what the stored plan archives elsewhere', () => {
    expect(sparedBy({ action: 'archive', to: 'archive' }, ['other'])).toHaveLength(2);
  });

  it.each([
    ['where the stored plan does too', { action: 'archive', to: 'archive' }, ['archive']],
    ['and not where the stored plan does more', { action: 'archive', to: 'archive' }, ['archive', 'other']],
    ['and not what is only deleted by now', { action: 'delete' }, ['archive']],
  ] as const)('spares nothing %s', (_where, rule, archivedTo) => {
    expect(sparedBy(rule, archivedTo)).toEqual([]);
  });
});
