import type { RegistryCapabilities, RepositoryName } from '@waybill/oci-model';
import type { RetentionPolicy } from './retention/policy.js';
import type { Role } from './roles.js';

/**
 * The validated topology: what every other part of Waybill reads.
 * It is plain, immutable and JSON-able, so that a revision can be stored, hashed and compared.
 * The address of a local registry is run-time state and never part of it.
 */
export interface Topology {
  readonly name: string;
  readonly locations: Readonly<Record<string, Location>>;
  readonly registries: Readonly<Record<string, Registry>>;
  readonly paths: Readonly<Record<string, PromotionPath>>;
  readonly replications: readonly Replication[];
  /** Those of the file in its order, then those that registries ask for by their role. */
  readonly retention: readonly RetentionPolicy[];
}

export interface Location {
  /** Cost of sending one gigabyte from here to the location named by the key, in the company's currency. */
  readonly egress: Readonly<Record<string, number>>;
}

/** A secret is only ever named; its value comes from the environment or the secrets folder. */
export interface SecretRef {
  readonly secret: string;
}

/** Where credentials come from. */
export type CredentialSource =
  | SecretRef
  /** The name of a secret that holds a Docker `config.json`, with an entry for the registry. */
  | { readonly dockerConfig: string }
  /** A program `docker-credential-<helper>`, asked for the registry's host. */
  | { readonly helper: string };

export interface TlsIdentity {
  /** Certificates in PEM form, or the name of a secret that holds them; they are public. */
  readonly ca?: string | SecretRef;
  readonly cert?: SecretRef;
  readonly key?: SecretRef;
  readonly serverName?: string;
}

/** A forward proxy on the way to a registry and to what that links to. */
export interface ProxyServer {
  readonly url: string;
  /** `username:password`, shown to the proxy only. */
  readonly secret?: string;
  /** What is reached without it, each entry as in `NO_PROXY`. */
  readonly except?: readonly string[];
}

/** In milliseconds; what is absent is as usual. */
export interface RegistryTimeouts {
  readonly connectMs?: number;
  readonly answerMs?: number;
  readonly commitMs?: number;
  readonly idleMs?: number;
  readonly smallMs?: number;
}

/** What a registry tells of pushes, pulls and deletions. */
export interface RegistryNotifications {
  /** Name of the secret that the registry shows when it tells something; a local one needs none. */
  readonly secret?: string;
  /** Each of its processes is heard at least this often. */
  readonly heartbeatMs?: number;
  /** Globs over free text; whoever matches one pulls without being a consumer. */
  readonly ignore?: { readonly userAgents?: readonly string[]; readonly actors?: readonly string[] };
}

/** Which tags may never be moved once they are written. Reserved tags are never among them. */
export type ImmutableTags =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | { readonly kind: 'semver' }
  /** Globs over the tag; exactly the tags that match one of them. */
  | { readonly kind: 'patterns'; readonly patterns: readonly string[] };

interface RegistryFacts {
  readonly name: string;
  /** Origin without a trailing slash, e.g. `https://registry.example.com`. Absent when the registry is local. */
  readonly url?: string;
  /** Run by `waybill up` on loopback, open to everyone there; without a port it gets a free one. */
  readonly local?: { readonly port?: number };
  /** All repositories of the registry lie below it; their names in a topology are relative to it. */
  readonly prefix?: RepositoryName;
  /** The prod registry that this replica repeats. */
  readonly of?: string;
  /** Resolved: a replica's are those of its prod. */
  readonly immutableTags: ImmutableTags;
  readonly credentials?: { readonly read?: CredentialSource; readonly write?: CredentialSource; readonly delete?: CredentialSource };
  /** Token servers that may be shown the credentials. */
  readonly tokenRealms?: readonly string[];
  /** Plain HTTP beyond loopback is wanted. */
  readonly insecure: boolean;
  readonly tls?: TlsIdentity;
  /** `environment` means whatever proxies the process that connects was given. */
  readonly proxy?: 'environment' | ProxyServer;
  /** Addresses by host name, in lower case. */
  readonly resolve?: Readonly<Record<string, readonly string[]>>;
  readonly timeouts?: RegistryTimeouts;
  readonly limits?: { readonly connections?: number };
  /** How often the content is looked over, where the file says; see `crawlIntervals`. */
  readonly crawl?: { readonly quickMs?: number; readonly fullMs?: number };
  /** How it tells what happens there; see `heardRegistries`. */
  readonly notifications?: RegistryNotifications;
  /** What is declared of it; it wins over what a check found. */
  readonly capabilities?: Partial<RegistryCapabilities>;
}

/** A registry of the company: it stands at a location. */
export interface PlacedRegistry extends RegistryFacts {
  readonly role: Exclude<Role, 'upstream'>;
  readonly location: string;
}

/** Somebody else's registry: it may have no location, and is never written to. */
export interface UpstreamRegistry extends RegistryFacts {
  readonly role: 'upstream';
  readonly location?: string;
}

export type Registry = PlacedRegistry | UpstreamRegistry;

/** An allowed edge along which images may be promoted. */
export interface PromotionPath {
  readonly name: string;
  readonly from: string;
  readonly to: readonly string[];
  /** Globs over the source repository; one must match. */
  readonly repositories: readonly string[];
  /** RE2 expression that the whole tag must match. */
  readonly tags: string;
  /** Template of the target repository: `{repository}`, `{name}`, `{namespace}`, `{registry}`. */
  readonly target: string;
}

/** Keeps replicas equal to their prod; repositories keep their names. */
export interface Replication {
  readonly from: string;
  readonly to: readonly string[];
  /** Globs over the repository at `from`; one must match. */
  readonly repositories: readonly string[];
}
