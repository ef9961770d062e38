import type { RE2JS } from 're2js';
import type { ArtifactMatch, KeepRule, RemovalRule, RetentionPolicy } from '@waybill/topology';
import type { Reason } from '../reasons.js';
import type { Candidate } from '../rules/candidates.js';
import { type Verdict, compileExpression, compileMatch } from './artifact-match.js';
import { checkPolicy } from './check-policy.js';
import { compileRepositoryGlobs, compileTagGlobs } from './glob.js';

/** A policy with every pattern compiled, made once for all repositories of a run. */
export interface CompiledPolicy {
  readonly name: string;
  readonly origin: RetentionPolicy['origin'];
  readonly selects: (repository: string) => boolean;
  readonly keeps: readonly CompiledKeep[];
  readonly removals: readonly CompiledRemoval[];
  readonly untagged: CompiledUntagged | undefined;
  readonly protect: CompiledProtection;
}

interface CompiledRule {
  readonly covers: (repository: string) => boolean;
  readonly matches: (candidate: Candidate) => Verdict;
  /** Made once and shared by all artifacts that the rule is a reason for. */
  readonly timeUnknown: Reason;
  readonly metadataUnknown: Reason;
}

export interface CompiledKeep extends CompiledRule {
  readonly criteria: KeepRule['criteria'];
  readonly mostRecent: KeepRule['mostRecent'];
  readonly groupBy: RE2JS | undefined;
  readonly within: KeepRule['within'];
  readonly kept: Reason;
}

export interface CompiledRemoval extends CompiledRule, Condemnation {
  readonly criteria: RemovalRule['criteria'];
  readonly olderThan: RemovalRule['olderThan'];
  readonly absentFrom: RemovalRule['absentFrom'];
  readonly unmet: Reason;
}

/** That something would be removed, how, and why. */
export interface Condemnation {
  readonly action: RemovalRule['action'];
  readonly to: string | undefined;
  readonly removed: Reason;
  readonly overruled: Reason;
}

export interface CompiledUntagged extends Condemnation {
  readonly olderThanMs: number;
  readonly unmet: Reason;
  readonly timeUnknown: Reason;
}

interface CompiledProtection {
  readonly isImmutable: (tag: string) => boolean;
  readonly minKeep: number;
  readonly promotedWithinMs: number;
  readonly rollbackDepth: number;
}

/**
 * Compiles a policy; undefined when it is disabled and takes no part in planning.
 * @throws RetentionError `policy-invalid`, `pattern-invalid`
 */
export function compilePolicy(policy: RetentionPolicy): CompiledPolicy | undefined {
  checkPolicy(policy);
  if (policy.mode === 'disabled') return undefined;
  const includes = compileRepositoryGlobs(policy.repositories.include);
  const excludes = compileRepositoryGlobs(policy.repositories.exclude);
  return {
    name: policy.name,
    origin: policy.origin,
    selects: (repository) => includes(repository) && !excludes(repository),
    keeps: policy.rules.flatMap((rule) => (rule.action === 'keep' ? compileKeep(policy.name, rule) : [])),
    removals: policy.rules.flatMap((rule) => (rule.action === 'keep' ? [] : compileRemoval(policy.name, rule))),
    untagged: policy.untagged === undefined ? undefined : compileUntagged(policy.name, policy.untagged.olderThanMs),
    protect: {
      isImmutable: compileTagGlobs(policy.protect.immutable),
      minKeep: policy.protect.minKeepPerRepository,
      promotedWithinMs: policy.protect.promotedWithinMs,
      rollbackDepth: policy.protect.rollbackDepth,
    },
  };
}

/**
 * What a policy keeps, without what it removes: how a policy in dry run takes part in the plan of another,
 * so that nothing goes that it would keep, and nothing goes for its sake.
 */
export function asKeeper(policy: CompiledPolicy): CompiledPolicy {
  return { ...policy, removals: [], untagged: undefined };
}

function compileKeep(policy: string, rule: KeepRule): CompiledKeep {
  return {
    ...compileScope(policy, rule.name, rule.match),
    criteria: rule.criteria,
    mostRecent: rule.mostRecent,
    groupBy: rule.mostRecent?.groupBy === undefined ? undefined : compileExpression(rule.mostRecent.groupBy),
    within: rule.within,
    kept: { code: 'kept-by-rule', policy, rule: rule.name },
  };
}

function compileRemoval(policy: string, rule: RemovalRule): CompiledRemoval {
  return {
    ...compileScope(policy, rule.name, rule.match),
    action: rule.action,
    to: rule.to,
    criteria: rule.criteria,
    olderThan: rule.olderThan,
    absentFrom: rule.absentFrom,
    removed: { code: 'removed-by-rule', policy, rule: rule.name },
    overruled: { code: 'overruled', policy, rule: rule.name },
    unmet: { code: 'criteria-unmet', policy, rule: rule.name },
  };
}

function compileScope(policy: string, rule: string, match: ArtifactMatch): CompiledRule {
  return {
    covers: match.repositories === undefined ? () => true : compileRepositoryGlobs(match.repositories),
    matches: compileMatch(match),
    timeUnknown: { code: 'time-unknown', policy, rule },
    metadataUnknown: { code: 'metadata-unknown', policy, rule },
  };
}

function compileUntagged(policy: string, olderThanMs: number): CompiledUntagged {
  return {
    action: 'delete',
    to: undefined,
    olderThanMs,
    removed: { code: 'untagged-expired', policy },
    overruled: { code: 'overruled', policy },
    unmet: { code: 'criteria-unmet', policy },
    timeUnknown: { code: 'time-unknown', policy },
  };
}
