import type { Actor } from '@waybill/access';
import { VisibleRepositories } from '@waybill/persistence';

/** The repositories whose artifacts the caller may read. */
export function visibleTo({ grants }: Actor): VisibleRepositories {
  return new VisibleRepositories(grants.flatMap(({ verbs, repositories }) => (verbs.includes('artifacts:read') ? repositories : [])));
}
