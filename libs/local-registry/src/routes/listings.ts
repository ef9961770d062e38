import type { RepositoryName } from '@waybill/oci-model';
import { type Answer, jsonAnswer } from '../answer.js';
import type { Exchange } from '../exchange.js';
import { pageOf } from '../page.js';
import { Refusal } from '../refusal.js';

/** GET tags/list (distribution-spec v1.1.1, "Listing Tags"). */
export async function listTags(exchange: Exchange, { repository }: { readonly repository: RepositoryName }): Promise<Answer> {
  const tags = await exchange.storage.repositories.tags(repository);
  if (tags === undefined) throw new Refusal('NAME_UNKNOWN', 'nothing was ever pushed to this repository');
  const page = pageOf(tags, exchange.path, exchange.query);
  return jsonAnswer({ name: repository, tags: page.names }, page.headers);
}

/** GET _catalog, which is Docker's and not in the specification, with the same pages. */
export async function listRepositories(exchange: Exchange): Promise<Answer> {
  const names: RepositoryName[] = [];
  for await (const name of exchange.storage.repositories.names()) names.push(name);
  const page = pageOf(names, exchange.path, exchange.query);
  return jsonAnswer({ repositories: page.names }, page.headers);
}
