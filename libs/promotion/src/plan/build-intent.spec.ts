import { describe, expect, it } from '@jest/globals';
import { buildIntent } from './build-intent.js';
import { observeTargets } from './observe-targets.js';
import { FakeReader, imageOf, requested, topologyWith } from './plan-fixtures.spec-helper.js';
import { planItems } from './plan-items.js';

const image = imageOf('layer');
const signal = new AbortController().signal;

describe('buildIntent', () => {
  it('holds what was resolved, and nothing that an approval must not bind to', async () => {
    const topology = topologyWith();
    const reader = new FakeReader({ 'prod/team-a/app': {}, 'prod-us/team-a/app': {} });
    const planned = planItems(topology, 'release', [
      requested('ci-snapshots/team-a/app:1.0.0'),
      requested(`ci-snapshots/team-b/app@${image.digest}`, ['1.0.0']),
    ]);
    const items = await Promise.all(
      planned.map(async (item) => ({
        source: item.source,
        digest: image.digest,
        mediaType: image.mediaType,
        targets: await observeTargets(reader, item, signal),
      })),
    );

    const tags = [{ tag: '1.0.0', expected: { kind: 'absent' } }];
    expect(buildIntent(topology, 7, 'release', items)).toEqual({
      version: 1,
      revision: 7,
      path: { name: 'release', from: 'ci-snapshots', to: ['prod'] },
      items: [
        {
          source: { registry: 'ci-snapshots', repository: 'team-a/app', tag: '1.0.0' },
          digest: image.digest,
          targets: [
            { registry: 'prod', repository: 'team-a/app', requirement: 'required', tags },
            { registry: 'prod-us', repository: 'team-a/app', requirement: 'best-effort', tags },
          ],
        },
        {
          source: { registry: 'ci-snapshots', repository: 'team-b/app' },
          digest: image.digest,
          targets: [
            {
              registry: 'prod',
              repository: 'team-b/app',
              requirement: 'required',
              tags: [{ tag: '1.0.0', expected: { kind: 'unknown' } }],
            },
          ],
        },
      ],
    });
  });
});
