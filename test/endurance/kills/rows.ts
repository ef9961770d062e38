import type { Database } from '@waybill/persistence';

/**
 * What the database says of promotions that are over, one line for each fact, sorted: equal whatever died on the way.
 *
 * Left out is what another run must have otherwise:
 * - ids and times;
 * - numbers of dispatches and fences: each claim and each time that something is sent raises them, and how often a
 *   replica is called before its prod is there is a matter of moments even when nobody dies;
 * - how content came. Where a dead worker brought it, and could not tell, a target says `mounted` or `already-present`
 *   where an undisturbed one says `copied`: all have arrived;
 * - attempts and bytes, which `counts.ts` compares as far as a death leaves them; a target's record must tell its attempts.
 */
export async function rowsOf(database: Database): Promise<string[]> {
  const lines: string[] = [];
  for (const [table, select] of Object.entries(compared)) {
    const rows = await database.tables.$queryRawUnsafe<{ line: string }[]>(`SELECT line FROM (${select}) AS lines (line) ORDER BY line`);
    lines.push(...rows.map(({ line }) => `${table}: ${line}`));
  }
  return lines;
}

/** Whichever way content came. */
const arrived = (outcome: string) =>
  `CASE WHEN ${outcome} IN ('copied', 'mounted', 'already-present') THEN 'arrived' ELSE coalesce(${outcome}, '-') END`;
const digest = (column: string) => `coalesce(digest_text(${column}), '-')`;
const target = `item_target t JOIN promotion_item i ON i.id = t.item_id JOIN registry r ON r.id = t.registry_id`;

/** Of each table, how its rows are told. */
export const compared: Readonly<Record<string, string>> = {
  promotion: `SELECT concat_ws(' ', path, state, 'finished', finished_at IS NOT NULL, coalesce(rejection ->> 'code', '-')) FROM promotion`,
  promotion_item: `SELECT concat_ws(' ', position, ${digest('digest')}, 'moved to', ${digest('source_moved_to')}, source_moved_at IS NOT NULL) FROM promotion_item`,
  item_target: `
    SELECT concat_ws(' ', i.position, r.name, t.repository, t.state, ${arrived('t.outcome')}, 'content', ${arrived('t.content')},
      coalesce(t.error ->> 'code', '-'), 'due', t.due_at IS NOT NULL, 'waiting', t.waiting_since IS NOT NULL, 'held', t.held_by IS NOT NULL,
      'finished', t.finished_at IS NOT NULL)
    FROM ${target}`,
  item_target_tag: `
    SELECT concat_ws(' ', i.position, r.name, t.repository, g.tag, 'ticket', g.ticket, g.expected, ${digest('g.expected_digest')},
      coalesce(g.outcome, '-'), ${digest('g.found_digest')})
    FROM item_target_tag g JOIN item_target t ON t.id = g.item_target_id JOIN promotion_item i ON i.id = t.item_id
      JOIN registry r ON r.id = t.registry_id`,
  tag_order: `
    SELECT concat_ws(' ', r.name, o.repository, o.tag, 'last', o.last_ticket, 'written', o.written_ticket, ${digest('o.written_digest')},
      'leased', coalesce(o.lease_expires_at > now(), false))
    FROM tag_order o JOIN registry r ON r.id = o.registry_id`,
  dispatch: `
    SELECT concat_ws(' ', location, state, 'due', due_at IS NOT NULL, 'leased', lease_expires_at IS NOT NULL) FROM dispatch`,
  outbox: `SELECT payload ->> 'location' FROM outbox`,
  effect: `
    SELECT concat_ws(' ', e.kind, r.name, e.repository, e.tag, ${digest('e.digest')}, 'was', ${digest('e.previous_digest')}, e.state,
      coalesce(e.outcome, '-'), ${digest('e.observed_digest')}, 'records', count(p.id))
    FROM effect e JOIN registry r ON r.id = e.registry_id LEFT JOIN provenance_record p ON p.effect_id = e.id GROUP BY e.id, r.name`,
  provenance_record: `
    SELECT concat_ws(' ', kind, ${digest('subject')}, effect_id IS NOT NULL,
      body - 'attempts' - 'intendedAt' - 'requestedBy' - 'outcome' - 'error', ${arrived(`(body ->> 'outcome')`)},
      coalesce(body -> 'error' ->> 'code', '-'),
      CASE WHEN body ? 'attempts' THEN 'attempts told ' || EXISTS (
        SELECT 1 FROM item_target t JOIN registry r ON r.id = t.registry_id
        WHERE t.promotion_id = p.promotion_id AND r.name = p.body ->> 'registry' AND t.repository = p.body ->> 'repository'
          AND t.attempts = (p.body ->> 'attempts')::int) END)
    FROM provenance_record p`,
  provenance_chain: `SELECT concat_ws(' ', 'links', count(*)) FROM provenance_chain`,
  provenance_unchained: `SELECT 'unchained' FROM provenance_unchained`,
  content: `SELECT concat_ws(' ', ${digest('digest')}, media_type, size) FROM content`,
  content_edge: `SELECT concat_ws(' ', ${digest('parent')}, ${digest('child')}, kind) FROM content_edge`,
  placement: `
    SELECT concat_ws(' ', r.name, p.repository, ${digest('p.digest')}, 'gone', p.seen_until IS NOT NULL)
    FROM placement p JOIN registry r ON r.id = p.registry_id`,
  tag_event: `
    SELECT concat_ws(' ', r.name, e.repository, e.tag, ${digest('e.previous_digest')}, 'to', ${digest('e.digest')})
    FROM tag_event e JOIN registry r ON r.id = e.registry_id`,
  repository: `SELECT concat_ws(' ', r.name, y.name, y.state) FROM repository y JOIN registry r ON r.id = y.registry_id`,
  tag: `
    SELECT concat_ws(' ', r.name, y.name, t.name, ${digest('t.digest')}, t.tagged_at_source, 'gone', t.gone_at IS NOT NULL)
    FROM tag t JOIN repository y ON y.id = t.repository_id JOIN registry r ON r.id = y.registry_id`,
  // A second attempt is told of, so only what was told last is the same.
  event: `
    SELECT concat_ws(' ', kind, body ->> 'item', body ->> 'registry', body ->> 'tag', body ->> 'state', ${arrived(`(body ->> 'outcome')`)})
    FROM (SELECT DISTINCT ON (kind, body ->> 'target', body ->> 'tag') * FROM event ORDER BY kind, body ->> 'target', body ->> 'tag', id DESC) last`,
  outcome_tally: `
    SELECT concat_ws(' ', subject, name, ended, sum(count)) FROM (SELECT subject, name, ${arrived('outcome')} AS ended, count FROM outcome_tally) t
    WHERE subject <> 'lease' GROUP BY subject, name, ended`,
};

/** Tables that a worker does not write while it promotes; a new table is to be added here or above. */
export const notCompared: readonly string[] = [
  'principal',
  'principal_name',
  'api_key',
  'idempotency_key',
  'topology_revision',
  'registry',
  'schedule',
  'registry_check',
  'checked_registry',
  'manifest',
  'manifest_annotation',
  'unreadable_manifest',
  'crawl',
  'crawl_repository',
  'crawl_schedule',
  'promotion_cancellation',
  'promotion_term',
  'pause',
  'collection',
  // Of retention, which promotes nothing.
  'retention_schedule',
  'retention_run',
  'retention_run_repository',
  'retention_decision',
  'retention_approval',
  'retention_mark',
  'retention_trash',
  'retention_trash_link',
  'retention_request',
  'retention_request_item',
  'retention_record',
  'hold',
  'in_use_reporter',
  'in_use_digest',
  // Of what registries tell of themselves.
  'notification_feed',
  'notification_instance',
  'notification_heartbeat',
  'notification_event',
  'notification_hint',
];
