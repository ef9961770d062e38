import type { Provenance } from '@waybill/contracts/http';
import { drawTable } from './table.js';

type Entry = Provenance['entries'][number];

const head = ['#', 'at (UTC)', 'what', 'where', 'by', 'why', 'hash'];
const shownHashLength = 12;

/** Entries of a digest's record as a table: what was done and decided, in order, with its place in the chain. */
export function provenanceTable(entries: readonly Entry[]): string {
  return drawTable(
    head,
    entries.map(({ chain, occurredAt, body, by }) => [
      chain?.sequence ?? '…',
      occurredAt.slice(0, '2026-01-01T00:00:00'.length).replace('T', ' '),
      whatOf(body),
      placeOf(body),
      by?.name ?? textOf(body['requestedBy'] ?? body['policy'] ?? ''),
      textOf(body['reason'] ?? ''),
      chain?.hash.slice(0, shownHashLength) ?? '',
    ]),
  );
}

function whatOf(body: Entry['body']): string {
  if (body['effect'] === 'deletion' && body['outcome'] !== 'unknown') return textOf(body['outcome']).replaceAll('-', ' ');
  const decision = isSaid(body['decision']) ? textOf(body['decision']).replaceAll('-', ' ') : undefined;
  return [body['effect'] ?? decision, body['outcome'] ?? body['state']].filter(isSaid).map(textOf).join(' ');
}

function placeOf(body: Entry['body']): string {
  if (!isSaid(body['registry'])) return textOf(body['path'] ?? '');
  const tag = isSaid(body['tag']) ? `:${textOf(body['tag'])}` : '';
  return `${textOf(body['registry'])}/${textOf(body['repository'])}${tag}`;
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
