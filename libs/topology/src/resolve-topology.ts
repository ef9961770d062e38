import type { ImmutableTags, Location, PromotionPath, Registry, Topology } from './model.js';
import { own } from './lookup.js';
import { connectionOf } from './resolve-connection.js';
import { parseRegistryUrl } from './registry-url.js';
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
  };
}

function registryOf(name: string, entry: RegistryEntry, document: TopologyDocument): Registry {
  const { role, url, local, location, prefix, of, capabilities, insecure } = entry;
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
