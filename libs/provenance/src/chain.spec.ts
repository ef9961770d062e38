import { describe, expect, it } from '@jest/globals';
import { digestOf } from '@waybill/oci-model';
import { linkRecords, type ProvenanceRecord, verifyChain } from './chain.js';

function record(id: number, body: unknown = { n: id }): ProvenanceRecord {
  return {
    id: BigInt(id),
    kind: 'decision',
    promotionId: '01890000-0000-7000-8000-000000000000',
    subject: digestOf(Buffer.from('subject')),
    body,
    occurredAt: '2026-11-22T00:00:00.000000Z',
  };
}

function entriesOf(records: readonly ProvenanceRecord[]) {
  return linkRecords(undefined, records).map((link, index) => ({ link, record: records[index] ?? record(0) }));
}

describe('linkRecords', () => {
  it('numbers from 1 without a gap, whatever the ids are', () => {
    expect(linkRecords(undefined, [record(5), record(9)]).map((link) => link.sequence)).toEqual([1n, 2n]);
  });

  it('continues where an earlier batch ended', () => {
    const records = [record(1), record(2), record(3)];
    const whole = linkRecords(undefined, records);

    const rest = linkRecords(whole[0], records.slice(1));

    expect(rest).toEqual(whole.slice(1));
  });

  it('gives a record of a promotion the hash that it always had, and another to one of a run of retention', () => {
    const { promotionId: _promotion, ...facts } = record(1) as ProvenanceRecord & { readonly promotionId: string };
    const [promoted] = linkRecords(undefined, [record(1)]);
    const [deleted] = linkRecords(undefined, [{ ...facts, retentionRunId: '01890000-0000-7000-8000-000000000000' }]);

    expect(Buffer.from(promoted?.hash ?? []).toString('hex')).toBe('a1e77f2e9e0676074b1580838bfcc6c290ecceae3452e8b745b39c5c07f9317c');
    expect(deleted?.hash).not.toEqual(promoted?.hash);
  });

  it('does not depend on the order of keys', () => {
    const [one] = linkRecords(undefined, [record(1, { a: 1, b: 2 })]);
    const [other] = linkRecords(undefined, [record(1, { b: 2, a: 1 })]);

    expect(one?.hash).toEqual(other?.hash);
  });
});

describe('verifyChain', () => {
  const records = [record(1), record(2), record(4)];

  it('accepts what linkRecords made', () => {
    expect(verifyChain(entriesOf(records))).toEqual({ intact: true, links: 3 });
  });

  it('accepts a middle part when told what it follows', () => {
    const entries = entriesOf(records);

    expect(verifyChain(entries.slice(1), entries[0]?.link)).toEqual({ intact: true, links: 2 });
  });

  it('finds a removed record', () => {
    const entries = entriesOf(records);

    expect(verifyChain([entries[0]!, entries[2]!])).toEqual({ intact: false, sequence: 3n, reason: 'gap' });
  });

  it('finds a changed record', () => {
    const entries = entriesOf(records);

    const changed = [entries[0]!, { link: entries[1]!.link, record: record(2, { n: 'changed' }) }];

    expect(verifyChain(changed)).toEqual({ intact: false, sequence: 2n, reason: 'hash' });
  });

  it('finds a link that belongs to another record', () => {
    const entries = entriesOf(records);

    expect(verifyChain([{ link: entries[0]!.link, record: record(7) }])).toEqual({ intact: false, sequence: 1n, reason: 'order' });
  });
});
