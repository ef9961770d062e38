import { WaybillError } from '@waybill/kernel';
import type { Tag } from '@waybill/oci-model';

/** Tags that the message names; the inventory has the events of all. */
const maxNamed = 20;

/** Everything was deleted, and tags name nothing since of which nobody knows who took them away. */
export class TagsMissing extends WaybillError<'tags-missing'> {}

export function tagsMissing(tags: readonly Tag[]): TagsMissing {
  const more = tags.length > maxNamed ? ` and ${tags.length - maxNamed} more` : '';
  const named = `${tags.slice(0, maxNamed).join(', ')}${more}`;
  const message = `what was kept names nothing since something was deleted: ${named}; look who removed it, or push it again`;
  return new TagsMissing(message, { code: 'tags-missing', operation: 'execute retention', retryable: false });
}
