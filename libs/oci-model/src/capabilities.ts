/**
 * What registries differ in, and what they have in common is not among: a closed list.
 * A probe finds it, the topology may declare it, and clients and the copy engine act on it.
 */
export const capabilityDescriptions = {
  referrersApi: 'lists the referrers of a manifest by itself (distribution-spec v1.1.1, "Listing Referrers")',
  mount: 'takes a blob over from another of its repositories that the request names',
  anonymousMount: 'takes a blob over from another of its repositories without being told which',
  chunkedUpload: 'takes a blob in several requests',
  manifestDelete: 'deletes manifests by digest',
  blobDelete: 'deletes blobs',
  tagDelete: 'removes a tag and leaves its manifest',
  tagPagination: 'gives tags page by page',
  immutableTags: 'refuses to move a tag by itself',
} as const;

export type CapabilityName = keyof typeof capabilityDescriptions;

/** In the order in which people are shown them. */
export const capabilityNames = Object.keys(capabilityDescriptions) as readonly CapabilityName[];

/** `unknown` is neither: the standard way is tried, and what comes back decides. */
export type Capability = boolean | 'unknown';

export type RegistryCapabilities = Readonly<Record<CapabilityName, Capability>>;

/** Nothing is known of a registry that nobody has probed. */
export const unknownCapabilities: RegistryCapabilities = {
  referrersApi: 'unknown',
  mount: 'unknown',
  anonymousMount: 'unknown',
  chunkedUpload: 'unknown',
  manifestDelete: 'unknown',
  blobDelete: 'unknown',
  tagDelete: 'unknown',
  tagPagination: 'unknown',
  immutableTags: 'unknown',
};

/** What is declared wins over what was probed, and that over not knowing. */
export function effectiveCapabilities(
  declared: Partial<RegistryCapabilities> | undefined,
  probed: Partial<RegistryCapabilities> | undefined,
): RegistryCapabilities {
  const known = { ...unknownCapabilities };
  for (const source of [probed, declared]) {
    for (const name of capabilityNames) {
      const value = source?.[name];
      if (value !== undefined && value !== 'unknown') known[name] = value;
    }
  }
  return known;
}
