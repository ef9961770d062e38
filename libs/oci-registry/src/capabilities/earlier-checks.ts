import type { Clock } from '@waybill/kernel';
import { ContentError, type Tag } from '@waybill/oci-model';
import type { RepositoryScope } from '../scope.js';
import { listTags } from '../tags.js';
import { checkContent, keptId, type MarkedCheck, markedCheck } from './check-content.js';
import type { CheckRun } from './probe.js';

/** A check that began longer ago is over: killed, or unable to delete. */
const abandonedAfterMs = 10 * 60_000;
const maxTagsRead = 2_000;
const maxAbandoned = 20;

/** Does the registry keep something of an earlier check, be it because it deletes nothing? */
export async function hasRemains({ one, clock }: CheckRun, signal: AbortSignal): Promise<boolean> {
  const kept = checkContent(keptId).marker;
  for await (const tag of tagsThere(one, signal)) {
    if (tag === kept || isAbandoned(markedCheck(tag), clock)) return true;
  }
  return false;
}

/** The ids of those that must be over, some of them. */
export async function abandonedChecks({ one, clock, content }: CheckRun, signal: AbortSignal): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const tag of tagsThere(one, signal)) {
    const check = markedCheck(tag);
    if (tag !== content.marker && isAbandoned(check, clock)) ids.push(check.id);
    if (ids.length === maxAbandoned) break;
  }
  return ids;
}

function isAbandoned(check: MarkedCheck | undefined, clock: Clock): check is MarkedCheck {
  return check !== undefined && check.beganAt < clock.now().getTime() - abandonedAfterMs;
}

/** Not without end. What cannot be listed is not there, or found by a check that can. */
async function* tagsThere(scope: RepositoryScope, signal: AbortSignal): AsyncGenerator<Tag> {
  let seen = 0;
  try {
    for await (const tag of listTags(scope, signal)) {
      yield tag;
      seen += 1;
      if (seen === maxTagsRead) return;
    }
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
  }
}
