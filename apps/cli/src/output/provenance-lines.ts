import type { Provenance } from '@waybill/contracts/http';
import Table from 'cli-table3';

/** The record of a digest as a table: what was done and decided, in order, with its place in the chain. */
export function provenanceTable({ entries }: Provenance): string {
  const table = new Table({ head: ['#', 'at', 'what', 'where', 'hash'], style: { head: [], border: [] } });
  for (const { chain, occurredAt, kind, body } of entries) {
    table.push([
      chain?.sequence ?? '…',
      occurredAt.slice(0, 23) + 'Z',
      `${kind}: ${textOf(body['effect'] ?? body['decision'])}${body['outcome'] === undefined ? '' : ` ${textOf(body['outcome'])}`}`,
      placeOf(body),
      chain === undefined ? '' : `${chain.hash.slice(0, 12)}…`,
    ]);
  }
  return table.toString();
}

function placeOf(body: Readonly<Record<string, unknown>>): string {
  const tag = body['tag'] === undefined ? '' : `:${textOf(body['tag'])}`;
  return body['registry'] === undefined
    ? textOf(body['state'] ?? body['path'] ?? '')
    : `${textOf(body['registry'])}/${textOf(body['repository'])}${tag}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
