import type { Pause } from '@waybill/contracts/http';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';

/** What a promotion touches, or would. */
export interface Touched {
  readonly path: string;
  /** Its sources and targets. */
  readonly registries: ReadonlySet<string>;
}

interface Sent {
  readonly source: { readonly registry: string };
  readonly targets: readonly { readonly registry: string }[];
}

/** What is paused of that, a line each. Nothing is said where it cannot be asked: a promotion waits all the same. */
export async function pausesInForce(api: Pick<WaybillApi, 'openPauses'>, { path, registries }: Touched): Promise<string[]> {
  const lines: string[] = [];
  try {
    for await (const { id, scope, name, pausedAt, reason } of api.openPauses()) {
      const holds = scope === 'global' || (scope === 'path' && name === path) || (scope === 'registry' && registries.has(name ?? ''));
      if (holds) lines.push(`${coveredBy({ scope, name })} is paused since ${pausedAt}: ${reason} (pause ${id})`);
    }
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
  }
  return lines;
}

/** The sources and targets of a request. */
export function registriesOf({ items }: { readonly items: readonly Sent[] }): Set<string> {
  return new Set(items.flatMap(({ source, targets }) => [source.registry, ...targets.map(({ registry }) => registry)]));
}

/** What a pause covers, in words. */
export function coveredBy({ scope, name }: { readonly scope: Pause['scope']; readonly name?: string | undefined }): string {
  return name === undefined ? 'everything' : `${scope} ${name}`;
}
