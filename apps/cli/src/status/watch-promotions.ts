import { setTimeout as wait } from 'node:timers/promises';
import type { ApiEvent } from '../api-client/read-events.js';
import { ApiProblem } from '../api-client/api-problem.js';
import type { WaybillApi } from '../api-client/waybill-api.js';
import type { Output } from '../output/console-output.js';

const retryMs = 1_000;

export interface WatchOptions {
  readonly json: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Tells what happens to all promotions, a line each, until the signal; where the stream is cut it goes on. Rejects with the signal's reason. */
export async function watchPromotions(api: WaybillApi, { json, signal }: WatchOptions, output: Output): Promise<never> {
  let after: string | undefined;
  let isSilent = false;
  for (;;) {
    try {
      for await (const event of api.events({ after, signal })) {
        after = event.id ?? after;
        isSilent = false;
        if (json) tellPrograms(event, output);
        else tellPeople(event, output);
      }
    } catch (error) {
      if (!(error instanceof ApiProblem && error.retryable)) throw error;
      if (!isSilent) output.error(`${error.message}; asking again`);
      isSilent = true;
    }
    await wait(retryMs, undefined, { signal });
  }
}

function tellPrograms(event: ApiEvent, output: Output): void {
  if ('data' in event) output.jsonLine({ event: event.name, id: event.id, ...event.data });
}

function tellPeople(event: ApiEvent, output: Output): void {
  const line = lineOf(event);
  if (line !== undefined) output.line(line);
}

/** What a person wants to see of all promotions: states, ends of targets, and why one is tried again. */
function lineOf(event: ApiEvent): string | undefined {
  switch (event.name) {
    case 'reset':
      return 'some of what happened meanwhile is no longer known: see waybill status';
    case 'promotion': {
      const { occurredAt, promotionId, path, state, cancelRequestedAt, finishedAt } = event.data;
      const wish = cancelRequestedAt !== undefined && finishedAt === undefined ? ', to be cancelled' : '';
      return `${occurredAt}  ${promotionId}  ${path}: ${state}${wish}`;
    }
    case 'target': {
      const { occurredAt, promotionId, registry, repository, outcome, error, state } = event.data;
      if (outcome === undefined && (error === undefined || state !== 'pending')) return undefined;
      const why = error === undefined ? '' : ` (${error.message})`;
      return `${occurredAt}  ${promotionId}  ${registry}/${repository}: ${outcome ?? 'to be tried again'}${why}`;
    }
    default:
      return undefined;
  }
}
