import type { Provenance } from '@waybill/contracts/http';
import type { ChainedRecord } from '@waybill/persistence';

type Entry = Provenance['entries'][number];

/** The principal that a decision names, by its id. */
export function requestedBy({ record }: ChainedRecord): string | undefined {
  const { requestedBy: id } = record.body as Record<string, unknown>;
  return typeof id === 'string' ? id : undefined;
}

/** The repository that a record of a run of retention is about. */
export function repositoryOf({ body }: ChainedRecord['record']): string {
  return (body as { readonly repository: string }).repository;
}

/** `names`: what principals are called, by id. The record itself has ids only, since it can never be erased. */
export function toEntry(row: ChainedRecord, names: ReadonlyMap<string, string>): Entry {
  const { kind, promotionId, retentionRunId, subject, occurredAt, body } = row.record;
  return {
    kind,
    ...(promotionId === undefined ? { retentionRunId } : { promotionId }),
    subject,
    occurredAt,
    body: body as Record<string, unknown>,
    ...whoOf(requestedBy(row), names),
    ...placeOf(row),
  };
}

function whoOf(id: string | undefined, names: ReadonlyMap<string, string>): Pick<Entry, 'by'> {
  const name = id === undefined ? undefined : names.get(id);
  return id === undefined || name === undefined ? {} : { by: { id, name } };
}

function placeOf({ link }: ChainedRecord): Pick<Entry, 'chain'> {
  if (link === undefined) return {};
  return { chain: { sequence: Number(link.sequence), hash: hex(link.hash), previousHash: hex(link.previousHash) } };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
