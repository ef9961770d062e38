import { describe, expect, it } from '@jest/globals';
import { mayFeed, roleMatrix, roles } from './roles.js';

describe('roleMatrix', () => {
  it('says the same in both of its columns', () => {
    const feeding = roles.flatMap((from) => roleMatrix[from].feeds.map((to) => `${from} → ${to}`));
    const fed = roles.flatMap((to) => roleMatrix[to].fedBy.map((from) => `${from} → ${to}`));

    expect(new Set(feeding)).toEqual(new Set(fed));
    expect(feeding).toHaveLength(fed.length);
  });

  it('has no edges but these', () => {
    const edges = roles.flatMap((from) => roles.filter((to) => mayFeed(from, to)).map((to) => `${from} → ${to}`));

    expect(edges).toEqual([
      'ci-tests → ci-snapshots',
      'ci-tests → staging',
      'ci-tests → prod',
      'ci-snapshots → staging',
      'ci-snapshots → prod',
      'staging → prod',
      'prod → archive',
      'archive → staging',
      'archive → prod',
      'upstream → archive',
    ]);
  });
});
