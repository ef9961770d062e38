import { describe, expect, it } from '@jest/globals';
import { digest, promotionId } from '../scripted-api.spec-helper.js';
import { provenanceTable } from './provenance-table.js';

type Entry = Parameters<typeof provenanceTable>[0][number];

function entry(body: Entry['body'], sequence?: number, by?: Entry['by']): Entry {
  return {
    ...(by === undefined ? {} : { by }),
    kind: 'effect',
    promotionId,
    subject: digest,
    occurredAt: '2026-05-01T10:00:01.234567Z',
    body,
    ...(sequence === undefined ? {} : { chain: { sequence, hash: 'ab'.repeat(32), previousHash: 'cd'.repeat(32) } }),
  };
}

describe('provenanceTable', () => {
  it('says what was done where, in which place of the chain', () => {
    const table = provenanceTable([
      entry({ decision: 'requested', path: 'release', requestedBy: promotionId, reason: 'release day' }, 1, {
        id: promotionId,
        name: 'jane',
      }),
      entry({ effect: 'tag written', registry: 'prod', repository: 'team-a/app', tag: '1.4.0' }, 2),
      entry({ decision: 'target-ended', outcome: 'copied', registry: 'prod', repository: 'team-a/app' }, 3),
      entry({ decision: 'promotion-ended', state: 'succeeded' }),
    ]);

    expect(table.split('\n')).toEqual([
      '#  at (UTC)             what                       where                  by    why          hash',
      '1  2026-05-01 10:00:01  requested                  release                jane  release day  abababababab',
      '2  2026-05-01 10:00:01  tag written                prod/team-a/app:1.4.0                     abababababab',
      '3  2026-05-01 10:00:01  target ended copied        prod/team-a/app                           abababababab',
      '…  2026-05-01 10:00:01  promotion ended succeeded',
    ]);
  });

  it('says which policy deleted something, and why it did not', () => {
    const deletion = { effect: 'deletion', registry: 'ci', repository: 'team-a/app', policy: 'old-builds' };
    const table = provenanceTable([
      entry({ ...deletion, outcome: 'deleted' }, 1),
      entry({ ...deletion, outcome: 'not-deleted', reason: 'a promotion needs it' }, 2),
      entry({ ...deletion, outcome: 'unknown' }, 3),
    ]);

    expect(table.split('\n').slice(1)).toEqual([
      '1  2026-05-01 10:00:01  deleted           ci/team-a/app  old-builds                        abababababab',
      '2  2026-05-01 10:00:01  not deleted       ci/team-a/app  old-builds  a promotion needs it  abababababab',
      '3  2026-05-01 10:00:01  deletion unknown  ci/team-a/app  old-builds                        abababababab',
    ]);
  });

  it('names by id whom an older API does not name', () => {
    const table = provenanceTable([entry({ decision: 'cancel-requested', requestedBy: promotionId, reason: 'the wrong version' }, 1)]);

    expect(table).toContain(`cancel requested         ${promotionId}  the wrong version`);
  });
});
