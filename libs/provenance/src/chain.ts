import { createHash } from 'node:crypto';
import type { Digest } from '@waybill/oci-model';
import canonicalize from 'canonicalize';

/** What a record belongs to: a promotion, or a run of retention. */
export type RecordOwner =
  { readonly promotionId: string; readonly retentionRunId?: never } | { readonly retentionRunId: string; readonly promotionId?: never };

/** An effect that was settled or a decision that was made, as it was appended. */
export type ProvenanceRecord = RecordOwner & RecordFacts;

interface RecordFacts {
  /** Order of appending; gaps are possible here, never in the chain. */
  readonly id: bigint;
  readonly kind: 'effect' | 'decision';
  readonly subject: Digest;
  readonly body: unknown;
  /** RFC 3339 with microseconds, UTC, as the database gave it. */
  readonly occurredAt: string;
}

/** A record's place in the chain: sequence numbers start at 1 and have no gap. */
export interface ChainLink {
  readonly sequence: bigint;
  readonly recordId: bigint;
  readonly previousHash: Uint8Array;
  readonly hash: Uint8Array;
}

/** What the first link follows: 32 zero bytes. */
export const genesisHash = new Uint8Array(32);

/** The next links after `last`, for records in the order given. */
export function linkRecords(last: Pick<ChainLink, 'sequence' | 'hash'> | undefined, records: readonly ProvenanceRecord[]): ChainLink[] {
  const links: ChainLink[] = [];
  let previous = last ?? { sequence: 0n, hash: genesisHash };
  for (const record of records) {
    const sequence = previous.sequence + 1n;
    const link = { sequence, recordId: record.id, previousHash: previous.hash, hash: hashLink(sequence, previous.hash, record) };
    links.push(link);
    previous = link;
  }
  return links;
}

export type ChainVerdict =
  | { readonly intact: true; readonly links: number }
  | { readonly intact: false; readonly sequence: bigint; readonly reason: 'gap' | 'order' | 'hash' };

/** Checks consecutive links with their records, starting after `from` (the genesis when absent). */
export function verifyChain(
  entries: Iterable<{ readonly link: ChainLink; readonly record: ProvenanceRecord }>,
  from?: Pick<ChainLink, 'sequence' | 'hash'>,
): ChainVerdict {
  let previous = from ?? { sequence: 0n, hash: genesisHash };
  let links = 0;
  for (const { link, record } of entries) {
    const broken = (reason: 'gap' | 'order' | 'hash') => ({ intact: false, sequence: link.sequence, reason }) as const;
    if (link.sequence !== previous.sequence + 1n) return broken('gap');
    if (link.recordId !== record.id || !same(link.previousHash, previous.hash)) return broken('order');
    if (!same(link.hash, hashLink(link.sequence, link.previousHash, record))) return broken('hash');
    previous = link;
    links += 1;
  }
  return { intact: true, links };
}

/** SHA-256 over the previous hash and the canonical JSON (RFC 8785) of sequence and record, which names its owner and no other. */
function hashLink(sequence: bigint, previousHash: Uint8Array, record: ProvenanceRecord): Uint8Array {
  const { kind, subject, body, occurredAt } = record;
  const text = canonicalJson({ sequence: String(sequence), id: String(record.id), kind, ...ownerOf(record), subject, body, occurredAt });
  return new Uint8Array(createHash('sha256').update(previousHash).update(text).digest());
}

function ownerOf({ promotionId, retentionRunId }: RecordOwner): RecordOwner {
  return retentionRunId === undefined ? { promotionId } : { retentionRunId };
}

function canonicalJson(value: unknown): string {
  return (canonicalize as unknown as (value: unknown) => string)(value);
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
