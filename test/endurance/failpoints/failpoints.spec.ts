import { describe, expect, it } from '@jest/globals';
import { RepositoryClient } from '@waybill/oci-registry';
import {
  ExecutionJournal,
  ExecutionRecordsStore,
  HeldTargets,
  Leftovers,
  OpenEffects,
  Outbox,
  PlanJournal,
  PrismaRunJournal,
  ProvenanceChain,
  PurgeRecords,
  RetentionLeases,
  RetentionTicks,
  RetentionTrash,
  TrashRequestLeases,
} from '@waybill/persistence';
import { startTypeScript } from '@waybill/testing';
import { RunRecords } from '../../../apps/worker/src/features/run-promotion/run-records.js';
import { RereadRepository } from '../../../apps/worker/src/features/run-retention/reread-repository.js';
import { formatFailpoint, parseFailpoint } from './failpoint.js';
import { allPorts, notPromoting, notRetaining, type PortName, retentionSteps, steps } from './ports.js';

describe('the table of ports', () => {
  it.each<[PortName, { readonly prototype: object }]>([
    ['records', RunRecords],
    ['journal', PrismaRunJournal],
    ['store', RepositoryClient],
    ['outbox', Outbox],
    ['chain', ProvenanceChain],
    ['held', HeldTargets],
    ['effects', OpenEffects],
    ['leftovers', Leftovers],
    ['ticks', RetentionTicks],
    ['leases', RetentionLeases],
    ['plan', PlanJournal],
    ['execution', ExecutionJournal],
    ['deletions', ExecutionRecordsStore],
    ['fresh', RereadRepository],
    ['trash', RetentionTrash],
    ['requests', TrashRequestLeases],
    ['purge', PurgeRecords],
  ])('knows every method of %s', (name, { prototype }) => {
    const methods = Object.getOwnPropertyNames(prototype).filter((method) => method !== 'constructor');

    expect(Object.keys(allPorts[name]).sort()).toEqual(methods.sort());
  });

  it('excuses no step that there is not', () => {
    expect(steps).toEqual(expect.arrayContaining(Object.keys(notPromoting)));
    expect(retentionSteps).toEqual(expect.arrayContaining(Object.keys(notRetaining)));
  });
});

describe('a failpoint', () => {
  it('is written as it is read', () => {
    expect(formatFailpoint(parseFailpoint('journal.intendTag:after:3'))).toBe('journal.intendTag:after:3');
    expect(parseFailpoint('queue.add:before')).toEqual({ step: 'queue.add', moment: 'before', nth: 1 });
  });

  it.each(['', 'journal.intendTag', 'journal:before', 'journal.intendTag:later', 'journal.intendTag:before:0', 'queue.add:before:1:1'])(
    'is not %j',
    (text) => {
      expect(() => parseFailpoint(text)).toThrow('is no failpoint');
    },
  );

  it('ends the process there and then, the nth time', async () => {
    const child = startTypeScript(`
      const { Failpoints, parseFailpoint } = await import('./test/endurance/failpoints/failpoint.ts');
      const failpoints = new Failpoints({ planned: parseFailpoint('queue.add:after:2') });
      for (let count = 1; ; count += 1) {
        failpoints.reach('queue.add', 'before');
        console.log(count);
        failpoints.reach('queue.add', 'after');
      }`);

    expect([await child.nextLine(), await child.nextLine()]).toEqual([1, 2]);
    await expect(child.nextLine()).rejects.toThrow('ended without a word');
    expect(await child.ended).toEqual({ signal: 'SIGKILL' });
  });
});
