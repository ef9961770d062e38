import { RegistryEvent } from '@waybill/contracts/http';
import {
  type Digest,
  isDigest,
  isManifestMediaType,
  isRepositoryName,
  isTag,
  isTrashRepository,
  type RepositoryName,
} from '@waybill/oci-model';
import type { Told } from '@waybill/persistence';
import type { Sender } from './senders.js';

/** What an event is to us. */
export type ReadEvent =
  | { readonly kind: 'told'; readonly instance: string; readonly told: Told }
  | { readonly kind: 'heartbeat'; readonly instance: string; readonly id: string }
  /** Nothing that anybody wants to know, from a process that is heard. */
  | { readonly kind: 'own' | 'ignored' | 'blob' | 'foreign' | 'other'; readonly instance: string }
  | { readonly kind: 'unreadable' };

/** What this program calls itself, alone or with a heartbeat. */
const ours = /^waybill(?: \(heartbeat ([0-9a-f-]{36})\))?$/;
/** Where checks try things out. */
const checks = 'waybill-check/';

/**
 * Reads one event. No address in it is followed and no repository outside of the registry's prefix is believed. A HEAD counts as
 * a pull as well: a kubelet that has an image and must always pull asks for no more before it runs it.
 */
export function readEvent(event: unknown, sender: Sender): ReadEvent {
  const read = RegistryEvent.safeParse(event);
  if (!read.success) return { kind: 'unreadable' };
  const { id: eventId, action, target, request, actor, source } = read.data;
  const instance = source.instanceID;
  const userAgent = request?.useragent ?? '';
  const [isOurs, heartbeat] = ours.exec(userAgent) ?? [];
  const repository = withinPrefix(target.repository, sender.prefix);
  if (repository === undefined) return { kind: 'foreign', instance };
  if (heartbeat !== undefined) return { kind: 'heartbeat', instance, id: heartbeat };
  if (isOurs !== undefined) return { kind: 'own', instance };
  if (isTrashRepository(repository) || repository.startsWith(checks)) return { kind: 'ignored', instance };
  const what = whatOf(action);
  if (what === undefined) return { kind: action === 'mount' ? 'blob' : 'other', instance };
  if (what !== 'deleted' && target.mediaType !== undefined && !isManifestMediaType(target.mediaType)) return { kind: 'blob', instance };
  if (what === 'pulled' && sender.isIgnored({ userAgent, actor: actor?.name ?? '' })) return { kind: 'ignored', instance };
  const digest = digestIn(target.digest);
  const tag = target.tag !== undefined && isTag(target.tag) ? target.tag : undefined;
  if (digest === undefined && (what !== 'deleted' || tag === undefined)) return { kind: 'unreadable' };
  const told = { eventId, what, repository, ...(digest === undefined ? {} : { digest }), ...(tag === undefined ? {} : { tag }) };
  return { kind: 'told', instance, told };
}

function whatOf(action: string): Told['what'] | undefined {
  switch (action) {
    case 'push':
      return 'pushed';
    case 'pull':
      return 'pulled';
    case 'delete':
      return 'deleted';
    default:
      return undefined;
  }
}

function digestIn(text: string | undefined): Digest | undefined {
  return text !== undefined && isDigest(text) ? text : undefined;
}

/** Its name relative to the prefix, as the topology has it. */
function withinPrefix(repository: string, prefix: RepositoryName | undefined): RepositoryName | undefined {
  const start = prefix === undefined ? '' : `${prefix}/`;
  const name = repository.startsWith(start) ? repository.slice(start.length) : '';
  return isRepositoryName(name) ? name : undefined;
}
