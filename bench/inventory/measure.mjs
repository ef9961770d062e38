// What a page of a list reads: its statements as they were sent, explained by PostgreSQL with the parameters they had.
import pg from 'pg';

const { query } = pg.Client.prototype;
let sent;
pg.Client.prototype.query = function remembered(...given) {
  const [asked] = given;
  if (sent !== undefined && typeof asked === 'object' && /^\s*(SELECT|WITH)/i.test(asked.text)) sent.push(asked);
  return query.apply(this, given);
};

/** Rows that a Sort may take in: what one page looks at, and no table. */
const maxSorted = 10_000;

/** Buffers that a page reads, and what its plans should not hold. */
export async function measure(admin, read) {
  sent = [];
  const rows = await read();
  const statements = sent;
  sent = undefined;
  let buffers = 0;
  const faults = [];
  for (const { text, values } of statements) {
    const explained = await admin.query({ text: `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${text}`, values });
    const { Plan: plan } = explained.rows[0]['QUERY PLAN'][0];
    buffers += plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    faults.push(...faultsIn(plan));
  }
  return { rows, buffers, faults };
}

function faultsIn(node) {
  const within = (node.Plans ?? []).flatMap(faultsIn);
  const [first] = node.Plans ?? [];
  const isScan = node['Node Type'] === 'Seq Scan' && node['Relation Name'] !== 'registry';
  const isSort = node['Node Type'] === 'Sort' && first['Actual Rows'] * first['Actual Loops'] > maxSorted;
  return [
    ...(isScan ? [`reads ${node['Relation Name']} from end to end`] : []),
    ...(isSort ? [`sorts ${first['Actual Rows']} rows`] : []),
    ...within,
  ];
}
