import { type CapabilityName, capabilityDescriptions, type RegistryCapabilities } from './capabilities.js';
import type { ContentErrorCode } from './content-error.js';

/** What a check of a registry looks at, in this order: a closed list. */
export const probeDescriptions = {
  reachable: 'answers as a registry',
  clock: 'agrees with us on what time it is',
  read: 'lets the read credentials in',
  write: 'lets the write credentials begin an upload',
  push: 'takes blobs, manifests and tags',
  pull: 'gives the read credentials what was pushed',
  ...capabilityDescriptions,
  delete: 'lets the delete credentials ask for a deletion',
  cleanUp: 'is left as it was found',
} as const;

export type ProbeName = 'reachable' | 'clock' | 'read' | 'write' | 'push' | 'pull' | 'delete' | 'cleanUp' | CapabilityName;

/** What a probe can find that no single request could. */
export type ProbeFailureCode = ContentErrorCode | 'clock-skew' | 'incomplete-pages' | 'left-behind';

/**
 * What came of a probe. `ok` is an answer, and the capability's value says which one: that a registry
 * cannot mount is no failure. `failed` is trouble, or an answer that no registry may give.
 */
export type ProbeOutcome =
  | { readonly outcome: 'ok'; readonly note?: string }
  | {
      readonly outcome: 'failed';
      readonly code: ProbeFailureCode;
      readonly message: string;
      /** What to do about it. */
      readonly advice: string;
    }
  | { readonly outcome: 'skipped'; readonly why: string };

export type ProbeResult = ProbeOutcome & {
  readonly probe: ProbeName;
  /** How long it took, in milliseconds. */
  readonly ms: number;
};

/** What a check could not remove again. */
export interface LeftBehind {
  /** Their names, relative to the registry's prefix. */
  readonly repositories: readonly string[];
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** What one check of one registry found. Plain JSON without secrets, to be stored and shown. */
export interface RegistryReport {
  /** When the check began, RFC 3339 in UTC. */
  readonly checkedAt: string;
  /** Whether writing was probed too. */
  readonly scope: 'read' | 'write';
  /** Why writing was not probed. */
  readonly readOnlyBecause?: string;
  readonly probes: readonly ProbeResult[];
  readonly capabilities: RegistryCapabilities;
  /** The registry's clock minus ours in milliseconds, as exact as its `Date` header; absent when it told no time. */
  readonly clockSkewMs?: number;
  readonly leftBehind?: LeftBehind;
}

/** The probe's result; undefined when it was not looked at. */
export function resultOf({ probes }: Pick<RegistryReport, 'probes'>, probe: ProbeName): ProbeResult | undefined {
  return probes.find((result) => result.probe === probe);
}
