import type { PromotionPath } from '@waybill/topology';
import { compileRepositoryGlobs } from './compile/glob.js';
import { namingPaths } from './compile/naming-paths.js';

/** What must not go, whatever a policy says. Of one registry; read in the same moment as the snapshots. */
export interface Protections {
  readonly holds: readonly Hold[];
  readonly inUse: InUse;
  readonly runningPromotions: readonly RunningPromotion[];
  /** Digests of which the latest provenance says that they stand at this registry under a tag of ours. */
  readonly provenanceTargets: ReadonlySet<string>;
  /** The registry's own rule about tags that never move. It is not asked about reserved tags. */
  readonly isImmutableTag: (tag: string) => boolean;
  /** Those that begin at the registry. */
  readonly paths: readonly PromotionPath[];
}

/** Somebody's word that something stays. */
export type Hold = { readonly id: string; readonly reason: string } & (
  | { readonly kind: 'digest'; readonly digest: string }
  | { readonly kind: 'tag'; readonly repository: string; readonly tag: string }
  | { readonly kind: 'repository'; readonly repository: string }
);

export interface InUse {
  /** Reporter by digest that it saw running. */
  readonly digests: ReadonlyMap<string, string>;
  readonly unknownScopes: readonly UnknownScope[];
}

/** What a reporter that fell silent covers; without globs everything. */
export interface UnknownScope {
  readonly reporter: string;
  readonly repositories?: readonly string[];
}

/** A promotion that has not ended, and the digests that it reads or writes here. */
export interface RunningPromotion {
  readonly id: string;
  readonly digests: readonly string[];
}

/** The same, found by what it protects. Made once for a run. */
export interface CompiledProtections {
  readonly repositoryHolds: ReadonlyMap<string, readonly string[]>;
  /** Ids by repository, then tag. */
  readonly tagHolds: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  readonly digestHolds: ReadonlyMap<string, readonly string[]>;
  readonly inUse: ReadonlyMap<string, string>;
  readonly silentReporters: (repository: string) => readonly string[];
  readonly promotions: ReadonlyMap<string, readonly string[]>;
  readonly provenanceTargets: ReadonlySet<string>;
  readonly isImmutableTag: (tag: string) => boolean;
  /** Names of the paths that name the tag of the repository. */
  readonly pathsNaming: (repository: string, tag: string) => readonly string[];
}

/** @throws RetentionError `pattern-invalid` */
export function compileProtections(protections: Protections): CompiledProtections {
  const repositoryHolds = new Map<string, string[]>();
  const tagHolds = new Map<string, Map<string, string[]>>();
  const digestHolds = new Map<string, string[]>();
  for (const hold of protections.holds) {
    switch (hold.kind) {
      case 'digest':
        addTo(digestHolds, hold.digest, hold.id);
        break;
      case 'repository':
        addTo(repositoryHolds, hold.repository, hold.id);
        break;
      case 'tag': {
        const tags = tagHolds.get(hold.repository) ?? new Map<string, string[]>();
        tagHolds.set(hold.repository, tags);
        addTo(tags, hold.tag, hold.id);
      }
    }
  }
  const promotions = new Map<string, string[]>();
  for (const { id, digests } of protections.runningPromotions) {
    for (const digest of digests) addTo(promotions, digest, id);
  }
  return {
    repositoryHolds,
    tagHolds,
    digestHolds,
    inUse: protections.inUse.digests,
    silentReporters: silentReporters(protections.inUse.unknownScopes),
    promotions,
    provenanceTargets: protections.provenanceTargets,
    isImmutableTag: protections.isImmutableTag,
    pathsNaming: namingPaths(protections.paths),
  };
}

function silentReporters(scopes: readonly UnknownScope[]): CompiledProtections['silentReporters'] {
  const compiled = scopes.map(({ reporter, repositories }) => ({
    reporter,
    covers: repositories === undefined ? () => true : compileRepositoryGlobs(repositories),
  }));
  return (repository) => compiled.filter(({ covers }) => covers(repository)).map(({ reporter }) => reporter);
}

function addTo(map: Map<string, string[]>, key: string, id: string): void {
  const ids = map.get(key);
  if (ids === undefined) map.set(key, [id]);
  else ids.push(id);
}
