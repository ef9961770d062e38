import type { Artifact } from '@waybill/contracts/http';
import { drawTable } from '../output/table.js';

type Registry = Artifact['registries'][number];
type Place = Registry['repositories'][number];
type Tag = Place['tags'][number];

const head = ['registry', 'repository', 'state', 'tags', 'since', 'by'];

/** One row per registry and repository that was looked in. */
export function whereTable({ registries }: Artifact): string {
  return drawTable(head, registries.flatMap(rowsOf));
}

function rowsOf(registry: Registry): string[][] {
  if (registry.repositories.length === 0) return [[registry.registry, '–', stateOf(registry), '', '', '']];
  return registry.repositories.map((place) => [
    registry.registry,
    place.repository,
    stateOf(place),
    place.tags.map(tagOf).join(', '),
    place.deletion?.at ?? place.since ?? '',
    place.deletion === undefined ? (place.promotionId ?? '') : `deleted by ${place.deletion.policy}, run ${place.deletion.runId}`,
  ]);
}

function stateOf({ state, reason }: Pick<Place, 'state' | 'reason'>): string {
  return reason === undefined ? state : `${state} (${reason})`;
}

function tagOf({ tag, state }: Tag): string {
  return state === 'names-it' ? tag : `${tag} (${state})`;
}
