import type { EventRow } from '@waybill/persistence';
import type { StreamEvent } from './event-stream.js';

/** The database made the body as the contracts have it. */
export function toStreamEvent({ id, kind, promotionId, occurredAt, body }: EventRow): StreamEvent {
  return { name: kind, id, data: { promotionId, occurredAt: occurredAt.toISOString(), ...(body as object) } };
}

/** How a promotion's own event says its state; undefined of what is told about a target or a tag. */
export function stateIn({ kind, body }: EventRow): string | undefined {
  return kind === 'promotion' ? (body as { readonly state?: string }).state : undefined;
}

/** After an event of these nothing may be left to do: an end of the promotion, or of a target. */
export function mayBeTheEnd({ kind, body }: EventRow): boolean {
  const { finishedAt } = body as { readonly finishedAt?: string };
  return kind !== 'tag' && finishedAt !== undefined;
}
