import type { RepositoryName } from '@waybill/oci-model';
import type { Access } from './credentials.js';

/**
 * What a token allows (Distribution's token specification): actions on a resource. Always sorted by
 * resource and action, one entry for each resource, so that equal scopes are equal texts.
 */
export type Scopes = readonly Scope[];

export interface Scope {
  /** `<type>:<name>`, e.g. `repository:team/app`. */
  readonly resource: string;
  readonly actions: readonly string[];
}

/** What a request does, as far as a token server cares. */
export interface Deed {
  readonly method: string;
  readonly kind: string;
  readonly access: Access;
  /** By its name at the registry. */
  readonly repository?: RepositoryName | undefined;
  /** Another repository, by its name at the registry, that content is mounted from. */
  readonly mountedFrom?: RepositoryName | undefined;
}

/** Tokens and addresses grow with every scope, and servers take lines of a few kilobytes only. */
const mostScopes = 8;
const mostText = 2_000;

/** What a token must allow for this to be done, as Distribution asks it. */
export function scopesFor({ method, kind, access, repository, mountedFrom }: Deed): Scopes {
  if (kind === 'catalog') return [{ resource: 'registry:catalog', actions: ['*'] }];
  if (repository === undefined) return [];
  const own: Scope = { resource: `repository:${repository}`, actions: actionsFor(access, method) };
  return mountedFrom === undefined ? [own] : mergeScopes([own], [{ resource: `repository:${mountedFrom}`, actions: ['pull'] }]);
}

function actionsFor(access: Access, method: string): readonly string[] {
  switch (access) {
    case 'read':
      return ['pull'];
    case 'write':
      // To give an upload up is a deletion to Distribution.
      return method === 'DELETE' ? ['delete', 'pull', 'push'] : ['pull', 'push'];
    case 'delete':
      return ['delete'];
  }
}

/**
 * The scopes in a challenge's parameter, separated by spaces. A name may hold colons (`host:port/name`),
 * so type and actions are split off from both ends; what is no scope is left out.
 */
export function parseScopes(text: string | undefined): Scopes {
  const scopes = (text ?? '').split(/\s+/).flatMap((each): Scope[] => {
    const match = /^([a-z][\w.-]*(?:\([\w.-]+\))?:[^\s"\\]+):([\w*.,-]+)$/i.exec(each);
    if (match === null) return [];
    const [, resource = '', actions = ''] = match;
    return [{ resource, actions: actions.split(',').filter((action) => action !== '') }];
  });
  return mergeScopes(scopes);
}

/** All that any of them allows. */
export function mergeScopes(...all: readonly Scopes[]): Scopes {
  const byResource = new Map<string, Set<string>>();
  for (const { resource, actions } of all.flat()) {
    const known = byResource.get(resource) ?? new Set();
    for (const action of actions) known.add(action);
    byResource.set(resource, known);
  }
  return [...byResource].map(([resource, actions]) => ({ resource, actions: [...actions].sort() })).sort(byName);
}

/** Does `scopes` hold all that `wanted` does? `*` is an action like any other: not every server means all by it. */
export function coversScopes(scopes: Scopes, wanted: Scopes): boolean {
  return wanted.every(({ resource, actions }) => {
    const held = scopes.find((each) => each.resource === resource)?.actions ?? [];
    return actions.every((action) => held.includes(action));
  });
}

/** Is a request for these scopes one that servers will take? */
export function areReasonable(scopes: Scopes): boolean {
  return scopes.length <= mostScopes && scopeTexts(scopes).join(' ').length <= mostText;
}

/** As they are written in requests, one text for each resource. */
export function scopeTexts(scopes: Scopes): readonly string[] {
  return scopes.map(({ resource, actions }) => `${resource}:${actions.join(',')}`);
}

function byName(a: Scope, b: Scope): number {
  return a.resource < b.resource ? -1 : 1;
}
