import type { Database } from '@waybill/persistence';
import { compared as comparedOfPromotions } from '../kills/rows.js';

/**
 * What the database says of retention that is over, one line for each fact, sorted: equal whatever died on the way.
 * Left out is what another run must have otherwise: ids, times, numbers of leases and of attempts, which each death raises.
 */
export async function rowsOf(database: Database): Promise<string[]> {
  const lines: string[] = [];
  for (const [table, select] of Object.entries(compared)) {
    const rows = await database.tables.$queryRawUnsafe<{ line: string }[]>(`SELECT line FROM (${select}) AS lines (line) ORDER BY line`);
    lines.push(...rows.map(({ line }) => `${table}: ${line}`));
  }
  return lines;
}

const digest = (column: string) => `coalesce(digest_text(${column}), '-')`;
const is = (column: string) => `'${column.replace(/^\w+\./, '')}', ${column} IS NOT NULL`;
const error = (column: string) => `coalesce(${column} ->> 'code', '-')`;
/** Of a run, by what it is for: there is one of each. */
const ofRun = (id: string) => `(SELECT trigger FROM retention_run o WHERE o.id = ${id})`;

/** Promotions and retention write these alike. */
const written = [
  'effect',
  'content',
  'content_edge',
  'placement',
  'tag_event',
  'repository',
  'tag',
  'provenance_chain',
  'provenance_unchained',
];

/** Of each table, how its rows are told. */
export const compared: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(comparedOfPromotions).filter(([table]) => written.includes(table))),
  provenance_record: `
    SELECT concat_ws(' ', kind, ${digest('subject')}, effect_id IS NOT NULL, ${ofRun('retention_run_id')}, body - 'intendedAt' - 'approval',
      'approved', body ? 'approval')
    FROM provenance_record`,
  manifest: `SELECT concat_ws(' ', ${digest('digest')}, media_type, coalesce(unreadable, '-')) FROM manifest`,
  unreadable_manifest: `SELECT ${digest('digest')} FROM unreadable_manifest`,
  retention_schedule: `
    SELECT concat_ws(' ', policy, coalesce(last_tick, '-'), ${is('next_due_at')}, ${is('paused_at')}, ${is('retired_at')}) FROM retention_schedule`,
  retention_run: `
    SELECT concat_ws(' ', policy, trigger, mode, state, encode(plan_hash, 'hex'), 'repositories', repositories, 'artifacts', artifacts,
      'removals', removals, 'unknown', unknown, 'bytes', bytes_at_most, ${is('exceeded')}, ${error('error')}, ${is('finished_at')},
      ${is('cancel_requested_at')}, ${is('lease_expires_at')}, ${is('resume_at')}, 'deleted', deleted, 'spared', spared, 'failed', failed)
    FROM retention_run`,
  retention_run_repository: `
    SELECT concat_ws(' ', ${ofRun('run_id')}, repository, state, encode(plan_hash, 'hex'), artifacts, removals, bytes_at_most, kept, unknown,
      ${error('error')}, ${is('finished_at')}, 'deleted', deleted, 'spared', spared, 'failed', failed)
    FROM retention_run_repository`,
  retention_decision: `
    SELECT concat_ws(' ', ${ofRun('run_id')}, repository, position, ${digest('digest')}, tag, verdict, archive_to, reasons, is_unknown, bytes)
    FROM retention_decision`,
  retention_mark: `
    SELECT concat_ws(' ', repository, position, ${digest('digest')}, media_type, length(manifest), state, ${error('error')},
      ${is('settled_at')}, 'deleted as', rank() OVER (ORDER BY deleted_order))
    FROM retention_mark`,
  retention_trash: `
    SELECT concat_ws(' ', repository, ${digest('digest')}, media_type, length(manifest), tags, trash_repository, ${is('restored_at')},
      ${is('emptied_at')}, ${is('kept_at')}, ${is('wanted_by')}, ${is('cleared_at')}, ${is('lease_expires_at')})
    FROM retention_trash`,
  retention_trash_link: `
    SELECT concat_ws(' ', t.repository, ${digest('t.digest')}, l.kind, l.position, ${digest('l.digest')})
    FROM retention_trash_link l JOIN retention_trash t ON t.id = l.trash_id`,
  retention_request: `
    SELECT concat_ws(' ', kind, asked, state, ${error('error')}, ${is('finished_at')}, ${is('lease_expires_at')}) FROM retention_request`,
  retention_request_item: `
    SELECT concat_ws(' ', q.kind, q.asked, i.repository, ${digest('i.digest')}, i.state, i.outcome, ${error('i.error')}, ${is('i.settled_at')})
    FROM retention_request_item i JOIN retention_request q ON q.id = i.request_id`,
  retention_record: `SELECT concat_ws(' ', act, body - 'run' - 'approval') FROM retention_record`,
};

/** Tables that retention does not write; a new table is to be added here or above. */
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
  'pause',
  'collection',
  'retention_approval',
  'hold',
  'in_use_reporter',
  'in_use_digest',
  // What the stage crawled before.
  'manifest_annotation',
  'crawl',
  'crawl_repository',
  'crawl_schedule',
  // Of promotions, of which there is none.
  'promotion',
  'promotion_item',
  'item_target',
  'item_target_tag',
  'promotion_cancellation',
  'promotion_term',
  'tag_order',
  'dispatch',
  'outbox',
  'event',
  'outcome_tally',
  // Of what registries tell of themselves.
  'notification_feed',
  'notification_instance',
  'notification_heartbeat',
  'notification_event',
  'notification_hint',
];
