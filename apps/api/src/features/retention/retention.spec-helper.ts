import { type Digest, digestOf } from '@waybill/oci-model';
import { Database, type NewDecision, PlanJournal, RetentionLeases } from '@waybill/persistence';
import type { ApiUnderTest } from '../../api-under-test.spec-helper.js';
import { releaseTopology } from '../../registries-under-test.spec-helper.js';

/** `grace` changes what the policy `nightly` says. */
export function retentionTopology({ grace = '24h' } = {}): string {
  return `${releaseTopology}
retention:
  - name: nightly
    registry: ci-snapshots
    schedule: "0 3 * * *"
    repositories: ["**"]
    rules:
      - { name: old, action: delete, olderThan: { of: pushed, duration: 30d } }
    grace: { markFor: ${grace} }
`;
}

export async function applyTopology(api: ApiUnderTest, source: string): Promise<void> {
  const applied = await api.send('PUT', '/api/v1/topology', { body: { source } });
  if (applied.status !== 200) throw new Error(applied.text);
}

export function digestNamed(name: string): Digest {
  return digestOf(Buffer.from(name));
}

/** Does what a worker does with the run that waits: `removed` names what goes, by repository. */
export async function planNext(api: ApiUnderTest, removed: Readonly<Record<string, readonly string[]>>): Promise<void> {
  const database = api.app.get(Database);
  const lease = await new RetentionLeases(database, { leaseMs: 60_000 }).claimPlanning('spec');
  if (lease === undefined) throw new Error('no run waits');
  const journal = new PlanJournal(database, lease);
  await journal.add(Object.keys(removed));
  for (const [repository, names] of Object.entries(removed)) {
    const outcome = {
      planHash: 'ab'.repeat(32),
      artifacts: 9,
      removals: names.length,
      unknown: 0,
      bytesAtMost: 100,
      kept: { 'no-rule': 8 },
    };
    await journal.planned(repository, names.map(removal), outcome);
  }
  await journal.finishPlan([{ limit: 'maxDeletePercent', allowed: 20, planned: 25 }]);
}

function removal(name: string): NewDecision {
  const reasons = [{ code: 'removed-by-rule', policy: 'nightly', rule: 'old' }];
  return { digest: digestNamed(name), tag: '', verdict: 'delete', archiveTo: [], reasons, isUnknown: false, bytes: 7 };
}
