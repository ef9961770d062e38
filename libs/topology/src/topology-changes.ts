import { canonicalJson } from './canonical-topology.js';
import { own } from './lookup.js';
import type { PromotionPath, Registry, Topology } from './model.js';
import type { RetentionPolicy } from './retention/policy.js';
import { policyHash } from './retention/policy-hash.js';

/** One thing that is declared otherwise than before. */
export interface TopologyChange {
  readonly what: 'location' | 'registry' | 'path' | 'replication' | 'retention policy';
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Keys whose value differs, of what was there before and is there now. */
  readonly keys: readonly string[];
  /** What follows from it, where that is not plain: one line, lower-case. */
  readonly meaning?: string;
}

/** What makes `after` another topology than `before`, section by section and by name. Spelling, order of keys and written defaults are no change. */
export function topologyChanges(before: Topology, after: Topology): readonly TopologyChange[] {
  return [
    ...changesOf('location', [before.locations, after.locations]),
    ...changesOf('registry', [before.registries, after.registries], meaningOfRegistry),
    ...changesOf('path', [before.paths, after.paths], meaningOfPath),
    ...changesOf('replication', [byEnds(before), byEnds(after)]),
    ...changesOf('retention policy', [byName(before.retention), byName(after.retention)], meaningOfPolicy),
  ];
}

type Named<Entry> = Readonly<Record<string, Entry>>;
type Meaning<Entry> = (before: Entry | undefined, after: Entry | undefined) => string | undefined;

function changesOf<Entry extends object>(
  what: TopologyChange['what'],
  [before, after]: readonly [Named<Entry>, Named<Entry>],
  meaningOf: Meaning<Entry> = () => undefined,
): TopologyChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name): TopologyChange[] => {
    const [old, now] = [own(before, name), own(after, name)];
    const keys = old === undefined || now === undefined ? [] : differentKeys(old, now);
    if (old !== undefined && now !== undefined && keys.length === 0) return [];
    const meaning = meaningOf(old, now);
    return [{ what, name, change: changeFrom(old, now), keys, ...(meaning === undefined ? {} : { meaning }) }];
  });
}

function changeFrom(before: object | undefined, after: object | undefined): TopologyChange['change'] {
  if (before === undefined) return 'added';
  return after === undefined ? 'removed' : 'changed';
}

function differentKeys(before: object, after: object): string[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort();
  return keys.filter((key) => canonicalJson([old.get(key)]) !== canonicalJson([now.get(key)]));
}

/** A new address under an old name is another registry. */
function meaningOfRegistry(before: Registry | undefined, after: Registry | undefined): string | undefined {
  if (before === undefined || after === undefined) return undefined;
  if (before.url === after.url && (after.url === undefined || before.prefix === after.prefix)) return undefined;
  return 'another registry under the same name: what is known of the old one does not count';
}

function meaningOfPath(before: PromotionPath | undefined, after: PromotionPath | undefined): string | undefined {
  if (before === undefined) return undefined;
  return after === undefined ? 'promotions that wait along it are rejected' : 'promotions that wait along it are planned anew';
}

function meaningOfPolicy(before: RetentionPolicy | undefined, after: RetentionPolicy | undefined): string | undefined {
  if (after === undefined) return 'it plans and removes nothing any more';
  if (before === undefined) return 'it runs dry until it is approved';
  return policyHash(before) === policyHash(after) ? undefined : 'it is back in dry run until it is approved again';
}

function byName(policies: readonly RetentionPolicy[]): Named<RetentionPolicy> {
  return Object.fromEntries(policies.map((policy) => [policy.name, policy]));
}

function byEnds({ replications }: Topology): Named<Topology['replications'][number]> {
  return Object.fromEntries(replications.map((replication) => [`${replication.from} to ${replication.to.join(', ')}`, replication]));
}
