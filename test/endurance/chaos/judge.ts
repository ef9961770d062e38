import { childrenOf, type Digest, parseDigest, parseRepositoryName, parseTag } from '@waybill/oci-model';
import { RegistryClient } from '@waybill/oci-registry';
import { type ChainedRecord, type Database, ProvenanceChain } from '@waybill/persistence';
import { verifyChain } from '@waybill/provenance';
import type { RegistryName, Servers } from './servers.js';

/** How promotions ended, and everything that is not as it should be; one line each. */
export interface Judgement {
  readonly states: Readonly<Record<string, number>>;
  readonly tagsWritten: number;
  readonly takeovers: number;
  readonly problems: readonly string[];
}

const chainPage = 500;

/** Looks at everything that is left when the storm is over and nothing is left to do. */
export async function judge(database: Database, servers: Servers, requested: readonly string[]): Promise<Judgement> {
  const problems = [
    ...(await promotionsNotAsRequested(database, requested)),
    ...(await linesOf(database, wrongRows)),
    ...(await chainProblems(database)),
    ...(await tagProblems(database, servers)),
  ];
  const states = await database.tables.promotion.groupBy({ by: ['state'], _count: true });
  const [counts] = await database.tables.$queryRaw<{ written: bigint; takeovers: bigint }[]>`
    SELECT (SELECT count(*) FROM tag_event) AS written,
      (SELECT coalesce(sum(count), 0)::bigint FROM outcome_tally WHERE subject = 'lease') AS takeovers`;
  return {
    states: Object.fromEntries(states.map(({ state, _count: count }) => [state, count])),
    tagsWritten: Number(counts?.written ?? 0n),
    takeovers: Number(counts?.takeovers ?? 0n),
    problems,
  };
}

/** Each answered request is one promotion, and there is no other. */
async function promotionsNotAsRequested(database: Database, requested: readonly string[]): Promise<string[]> {
  const rows = await database.tables.promotion.findMany({ select: { id: true } });
  const ids = new Set(rows.map(({ id }) => id));
  return [
    ...requested.filter((id) => !ids.has(id)).map((id) => `promotion ${id} was accepted and is not there`),
    ...(rows.length === requested.length ? [] : [`${requested.length} promotions were accepted and ${rows.length} are there`]),
    ...(new Set(requested).size === requested.length ? [] : ['two requests were answered with the same promotion']),
  ];
}

/** Each selects lines that tell of a problem. */
const wrongRows: readonly string[] = [
  `SELECT concat_ws(' ', 'promotion', id, 'ended', state) FROM promotion WHERE state NOT IN ('succeeded', 'superseded')`,
  `SELECT concat_ws(' ', 'target', id, 'is', state, outcome, error ->> 'code', error ->> 'message') FROM item_target
   WHERE state <> 'done' OR outcome NOT IN ('copied', 'mounted', 'already-present', 'superseded')`,
  `SELECT concat_ws(' ', 'dispatch of', promotion_id, 'at', location, 'is', state) FROM dispatch WHERE state <> 'finished' OR lease_expires_at IS NOT NULL`,
  `SELECT concat_ws(' ', 'tag', repository, tag, 'is leased by', lease_holder) FROM tag_order WHERE lease_expires_at > now()`,
  `SELECT concat_ws(' ', 'message', id, 'is in the outbox') FROM outbox`,
  // Of a tag that a newer release had overtaken, it was read back that it was not written, or not any more.
  `SELECT concat_ws(' ', 'effect', kind, repository, tag, 'of', promotion_id, 'is', state, outcome) FROM effect
   WHERE state <> 'settled' OR (kind = 'manifest' AND outcome <> 'written')`,
  `SELECT concat_ws(' ', 'effect', e.id, 'has', count(p.id), 'records') FROM effect e LEFT JOIN provenance_record p ON p.effect_id = e.id
   GROUP BY e.id HAVING count(p.id) <> 1`,
  `SELECT concat_ws(' ', 'record', record_id, 'is not linked') FROM provenance_unchained`,
  // Of one name, a later write is of a later ticket.
  `SELECT concat_ws(' ', 'tag', repository, tag, 'was written for ticket', ticket, 'after', earlier) FROM (
     SELECT v.repository, v.tag, t.ticket, lag(t.ticket) OVER same AS earlier
     FROM tag_event v JOIN effect e ON e.id = v.effect_id JOIN item_target_tag t ON t.item_target_id = e.item_target_id AND t.tag = v.tag
     WINDOW same AS (PARTITION BY v.registry_id, v.repository, v.tag ORDER BY v.id)
   ) writes WHERE ticket <= earlier`,
  `SELECT concat_ws(' ', 'tag', repository, tag, 'has', last_ticket, 'tickets and was written last for', written_ticket)
   FROM tag_order WHERE written_ticket <> last_ticket`,
];

async function linesOf(database: Database, selects: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const select of selects) {
    const rows = await database.tables.$queryRawUnsafe<{ line: string }[]>(`SELECT line FROM (${select}) AS lines (line) ORDER BY line`);
    lines.push(...rows.map(({ line }) => line));
  }
  return lines;
}

async function chainProblems(database: Database): Promise<string[]> {
  const chain = new ProvenanceChain(database);
  const links: ChainedRecord[] = [];
  for (;;) {
    const page = await chain.links({ after: BigInt(links.length), limit: chainPage });
    links.push(...page);
    if (page.length < chainPage) break;
  }
  const verdict = verifyChain(links.flatMap(({ record, link }) => (link === undefined ? [] : [{ record, link }])));
  return verdict.intact ? [] : [`the chain breaks at ${verdict.sequence}: ${verdict.reason}`];
}

/** What each name of each target must hold: what was requested for it last. */
async function tagProblems(database: Database, servers: Servers): Promise<string[]> {
  const rows = await database.tables.$queryRaw<{ registry: RegistryName; repository: string; tag: string; digest: string }[]>`
    SELECT DISTINCT ON (r.name, t.repository, g.tag) r.name AS registry, t.repository, g.tag, digest_text(i.digest) AS digest
    FROM item_target_tag g JOIN item_target t ON t.id = g.item_target_id JOIN promotion_item i ON i.id = t.item_id JOIN registry r ON r.id = t.registry_id
    ORDER BY r.name, t.repository, g.tag, g.ticket DESC`;
  const problems: string[] = [];
  const clients = new Map<RegistryName, RegistryClient>();
  const whole = new Set<string>();
  try {
    for (const { registry, repository, tag, digest } of rows) {
      const client = clients.get(registry) ?? new RegistryClient({ origin: servers.registries[registry].url });
      clients.set(registry, client);
      const store = client.repository(parseRepositoryName(repository));
      const held = await store.resolveTag(parseTag(tag));
      if (held !== digest) problems.push(`${registry}/${repository}:${tag} holds ${held ?? 'nothing'} and not ${digest}`);
      const place = `${registry}/${repository}@${digest}`;
      if (!whole.has(place)) problems.push(...(await missingBeneath(store, parseDigest(digest), place)));
      whole.add(place);
    }
    return problems;
  } finally {
    for (const client of clients.values()) client.close();
  }
}

async function missingBeneath(store: ReturnType<RegistryClient['repository']>, digest: Digest, place: string): Promise<string[]> {
  try {
    const { manifests, blobs } = childrenOf(await store.readManifest(digest));
    const problems: string[] = [];
    for (const blob of blobs) if (!(await store.probeBlob(blob))) problems.push(`${place} lacks ${blob.digest}`);
    for (const manifest of manifests) problems.push(...(await missingBeneath(store, manifest.digest, place)));
    return problems;
  } catch (error) {
    return [`${place} cannot be read: ${String(error)}`];
  }
}
