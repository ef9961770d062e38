import type { CreateKey, KeyView } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';

export type Verb = CreateKey['grants'][number]['verbs'][number];

export interface CreateKeyOptions {
  readonly allow: readonly Verb[];
  readonly path: readonly string[];
  readonly repository: readonly string[];
  readonly expires?: Date;
  readonly json: boolean;
}

/** Makes a key, whose text is printed this once; gives the exit status. */
export async function createKey(
  api: WaybillApi,
  subject: string,
  { allow, path, repository, expires, json }: CreateKeyOptions,
  output: Output,
): Promise<number> {
  const grant = { verbs: [...allow], paths: [...path], repositories: [...repository] };
  const created = await api.createKey({
    subject,
    grants: [grant],
    ...(expires === undefined ? {} : { expiresAt: expires.toISOString() }),
  });
  if (json) output.json(created);
  else {
    output.error(`key ${created.details.id} of ${subject}; it is shown this once, and only a hash of it is kept:`);
    output.line(created.key ?? '');
  }
  return exitStatus.succeeded;
}

export interface ListKeysOptions {
  /** Those too that work no more. */
  readonly history: boolean;
  readonly json: boolean;
}

/** The keys that work; gives the exit status. */
export async function listKeys(api: WaybillApi, { history, json }: ListKeysOptions, output: Output): Promise<number> {
  const now = new Date().toISOString();
  const keys: KeyView[] = [];
  for await (const key of api.keys()) if (history || stateOf(key, now) === 'valid') keys.push(key);
  if (json) output.json({ keys });
  else if (keys.length === 0) output.line('there is no key that may do no more than yours');
  else {
    output.line(
      drawTable(
        ['key', 'of', 'state', 'made', 'until', 'may'],
        keys.map((key) => rowOf(key, now)),
      ),
    );
  }
  return exitStatus.succeeded;
}

/** Ends a key at once; gives the exit status. */
export async function revokeKey(api: WaybillApi, id: string, { json }: { readonly json: boolean }, output: Output): Promise<number> {
  await api.revokeKey(id);
  if (json) output.json({ id, revoked: true });
  else output.line(`key ${id} works no more`);
  return exitStatus.succeeded;
}

function rowOf(key: KeyView, now: string): string[] {
  const { id, principal, createdAt, expiresAt, grants } = key;
  return [id, principal.subject, stateOf(key, now), createdAt, expiresAt ?? '–', grants.map(tellGrant).join('; ')];
}

function stateOf({ revokedAt, expiresAt }: KeyView, now: string): 'valid' | 'expired' | 'revoked' {
  if (revokedAt !== undefined) return 'revoked';
  return expiresAt !== undefined && Date.parse(expiresAt) <= Date.parse(now) ? 'expired' : 'valid';
}

function tellGrant({ verbs, paths, repositories }: KeyView['grants'][number]): string {
  const where = [
    ...(paths.includes('*') ? [] : [`paths ${paths.join(', ')}`]),
    ...(repositories.includes('**') ? [] : [`repositories ${repositories.join(', ')}`]),
  ];
  return [verbs.join(', '), ...where].join(' on ');
}
