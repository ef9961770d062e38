import type { Crawl } from '@waybill/contracts/http';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';
import { exitStatus } from '../output/exit-status.js';
import { drawTable } from '../output/table.js';

/** Registries of the topology and when each was last looked at; gives the exit status. */
export async function listRegistries(api: WaybillApi, { json }: { readonly json: boolean }, output: Output): Promise<number> {
  const { registries } = await api.registries();
  const rows: { registry: string; role: string; newestCrawl?: Crawl }[] = [];
  for (const { name, role } of registries) {
    const newest = await newestCrawl(api, name);
    rows.push({ registry: name, role, ...(newest === undefined ? {} : { newestCrawl: newest }) });
  }
  const head = ['registry', 'role', 'crawl', 'state', 'at', 'problem'];
  const cells = rows.map(({ registry, role, newestCrawl: newest }) => [registry, role, ...crawlCells(newest)]);
  if (json) output.json({ registries: rows });
  else output.line(drawTable(head, cells));
  return exitStatus.succeeded;
}

async function newestCrawl(api: WaybillApi, registry: string): Promise<Crawl | undefined> {
  for await (const { crawls } of api.inventory.crawls(registry, { limit: '1' })) return crawls[0];
  return undefined;
}

function crawlCells(crawl: Crawl | undefined): string[] {
  if (crawl === undefined) return ['–', 'never looked at', '', ''];
  const { kind, state, finishedAt, startedAt, requestedAt, problem } = crawl;
  return [kind, state, finishedAt ?? startedAt ?? requestedAt, problem?.message ?? ''];
}
