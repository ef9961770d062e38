import type { InventoryTagList } from '@waybill/contracts/http';

type Repository = InventoryTagList['repository'];

/** What is to be known of a repository before its lists: how old they are, and what kept Waybill from looking. */
export function repositoryNotes({
  registry,
  repository,
  state,
  since,
  problem,
  listedAt,
  fullCrawlAt,
  unreadableManifests,
}: Repository): string[] {
  const why = problem === undefined ? '' : `: ${problem.message}`;
  const looked = listedAt === undefined ? 'its tags were never listed' : `tags listed ${listedAt}`;
  const whole = fullCrawlAt === undefined ? 'never crawled fully' : `crawled fully ${fullCrawlAt}`;
  const isCurrent = state === 'known';
  return [
    `${registry}/${repository}: ${looked}, ${whole}`,
    ...(isCurrent ? [] : [`${state} since ${since}${why}${state === 'gone' ? '' : '; what follows was seen before'}`]),
    ...(unreadableManifests > 0 ? [`${unreadableManifests} manifests cannot be read`] : []),
  ];
}
