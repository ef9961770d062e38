import { createHash } from 'node:crypto';
import type { Digest, RepositoryName, Tag } from '@waybill/oci-model';
import canonicalize from 'canonicalize';
import type { ExpectedDigest } from './expected-digest.js';
import type { Requirement } from './states.js';

/** What is approved (DESIGN section 2): nothing in it may change without voiding approvals. */
export interface Intent {
  readonly version: 1;
  /** The topology revision that everything here was resolved under. */
  readonly revision: number;
  readonly path: { readonly name: string; readonly from: string; readonly to: readonly string[] };
  readonly items: readonly IntentItem[];
}

export interface IntentItem {
  readonly source: { readonly registry: string; readonly repository: RepositoryName; readonly tag?: Tag };
  readonly digest: Digest;
  readonly targets: readonly IntentTarget[];
}

export interface IntentTarget {
  readonly registry: string;
  readonly repository: RepositoryName;
  readonly requirement: Requirement;
  readonly tags: readonly { readonly tag: Tag; readonly expected: ExpectedDigest }[];
}

/** SHA-256 over the canonical JSON (RFC 8785) of the intent, 32 bytes. */
export function hashIntent(intent: Intent): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(canonicalJson(intent)).digest());
}

function canonicalJson(intent: Intent): string {
  return (canonicalize as unknown as (value: unknown) => string)(intent);
}
