import type { ImmutableTags, Location, PromotionPath, Registry, Topology } from './model.js';
import { own } from './lookup.js';
import { connectionOf } from './resolve-connection.js';
import type { NotificationsEntry } from './notifications/schema.js';
import { parseRegistryUrl } from './registry-url.js';
import type { RetentionPolicy } from './retention/policy.js';
import { msOf, resolvePolicy } from './retention/resolve-policy.js';
import { rolePolicy, wipePolicy } from './retention/role-policies.js';
import type { CrawlEntry } from './retention/schema.js';
import { roleMatrix } from './roles.js';
import type { TopologyDocument } from './schema.js';

type RegistryEntry = TopologyDocument['registries'][string];

/** Makes the graph of a document that has passed every check: defaults written out, spellings made one. */
export function resolveTopology(document: TopologyDocument): Topology {
  return {
    name: document.metadata.name,
    locations: mapEntries(document.locations, (_name, { egress = {} }): Location => ({ egress })),
    registries: mapEntries(document.registries, (name, entry) => registryOf(name, entry, document)),
    paths: mapEntries(document.paths ?? {}, (name, entry): PromotionPath => ({ name, target: '{repository}', ...entry })),
    replications: document.replications ?? [],
    retention: [...declaredPolicies(document), ...Object.entries(document.registries).flatMap(([name, entry]) => policiesOf(name, entry))],
  };
}

function declaredPolicies({ registries, retention = [] }: TopologyDocument): RetentionPolicy[] {
  const archives = Object.entries(registries).flatMap(([name, { role }]) => (role === 'archive' ? [name] : []));
  return retention.map((policy) => resolvePolicy(policy, archives.length === 1 ? archives[0] : undefined));
}

function policiesOf(name: string, { role, of, retention, wipe }: RegistryEntry): RetentionPolicy[] {
  return [
    ...(retention === undefined ? [] : [rolePolicy({ name, role, of }, retention)]),
    ...(wipe === undefined ? [] : [wipePolicy(name, wipe)]),
  ];
}

function registryOf(name: string, entry: RegistryEntry, document: TopologyDocument): Registry {
  const { role, url, local, location, prefix, of, capabilities, insecure, crawl, notifications } = entry;
  const facts = {
    ...(prefix === undefined ? {} : { prefix }),
    ...(of === undefined ? {} : { of }),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...connectionOf(entry),
    name,
    immutableTags: immutableTagsOf(entry, document),
    insecure: insecure === true && url !== undefined && needsInsecure(url),
    ...(url === undefined ? {} : { url: originOf(url) }),
    ...(local === undefined ? {} : { local: local === true ? {} : local }),
    ...(crawl === undefined ? {} : { crawl: crawlOf(crawl) }),
    ...(notifications === undefined ? {} : { notifications: notificationsOf(notifications) }),
  };
  if (role === 'upstream') return { ...facts, role, ...(location === undefined ? {} : { location }) };
  if (location === undefined) throw new TypeError(`registry "${name}" has no location: the document was not checked`);
  return { ...facts, role, location };
}

function immutableTagsOf({ role, immutableTags, of }: RegistryEntry, document: TopologyDocument): ImmutableTags {
  if (Array.isArray(immutableTags)) return { kind: 'patterns', patterns: immutableTags };
  if (immutableTags !== undefined) return { kind: immutableTags };
  const usual = roleMatrix[role].immutableTags;
  if (usual === 'never-written') return { kind: 'none' };
  if (usual !== 'as-its-prod') return { kind: usual };
  const prod = of === undefined ? undefined : own(document.registries, of);
  return prod === undefined ? { kind: 'all' } : immutableTagsOf(prod, document);
}

/** What is not written stays absent, so that older files keep their canonical form. */
function crawlOf({ quick, full }: CrawlEntry): Registry['crawl'] {
  return { ...(quick === undefined ? {} : { quickMs: msOf(quick) }), ...(full === undefined ? {} : { fullMs: msOf(full) }) };
}

function notificationsOf({ heartbeat, ...rest }: NotificationsEntry): Registry['notifications'] {
  return { ...rest, ...(heartbeat === undefined ? {} : { heartbeatMs: msOf(heartbeat) }) };
}

/** Only where it changes anything, so that a needless one makes no new revision. */
function needsInsecure(url: string): boolean {
  const address = parseRegistryUrl(url);
  return address.ok && !address.secure && !address.loopback;
}

function originOf(url: string): string {
  const address = parseRegistryUrl(url);
  return address.ok ? address.origin : url;
}

function mapEntries<From, To>(record: Readonly<Record<string, From>>, map: (key: string, value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(key, value)]));
}
