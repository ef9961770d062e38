import type { TemplateVariable } from '../template.js';
import { type CommonTarget, commonTarget, type TakenParts } from './common-target.js';
import type { PathSources } from './path-sources.js';
import type { SearchBudget } from './search-budget.js';
import type { SplitNames } from './split-names.js';
import { differentWords, wordOf } from './words.js';

/**
 * Two different source repositories that one target repository would be made of.
 * They are the same only where two templates over one registry overlap and no better
 * example was found: then the overlap cannot be ruled out, and is treated as one.
 */
export interface Collision {
  readonly one: SourceRepository;
  readonly other: SourceRepository;
}

export interface SourceRepository {
  readonly registry: string;
  readonly repository: string;
}

/**
 * Can the two paths (or the one path, given twice) meet? Exact where the registries differ or
 * the templates are the same; otherwise an overlap of target names counts as a collision.
 * @throws SearchExhausted when the budget does not suffice
 */
export function findCollision(one: PathSources, other: PathSources, budget: SearchBudget): Collision | undefined {
  const isSameTemplate = JSON.stringify(one.template) === JSON.stringify(other.template);
  if (one.registry === other.registry && isSameTemplate) return underOneTemplate(one, other, budget);
  return firstOverlap(one, other, budget);
}

/** Names at the source that become one name at the target. */
type Pair = readonly [string, string];

/** A target name that tells the whole source name cannot be made of two of them. */
function underOneTemplate(one: PathSources, other: PathSources, budget: SearchBudget): Collision | undefined {
  const kept = new Set<TemplateVariable>(one.template.flat().flatMap((piece) => ('variable' in piece ? [piece.variable] : [])));
  if (kept.has('repository') || (kept.has('name') && kept.has('namespace'))) return undefined;
  for (const overlap of overlaps(one, other, budget)) {
    const pair = differentSources(overlap, kept, budget);
    if (pair !== undefined) return collision(one, other, pair);
  }
  return undefined;
}

interface Overlap {
  readonly names: SplitNames;
  readonly others: SplitNames;
  readonly common: CommonTarget;
}

function* overlaps(one: PathSources, other: PathSources, budget: SearchBudget): Iterable<Overlap> {
  for (const made of one.made(budget)) {
    for (const madeToo of other.made(budget)) {
      const common = commonTarget(made.targets, madeToo.targets, budget);
      if (common !== undefined) yield { names: made.sources, others: madeToo.sources, common };
    }
  }
}

/** Two sources that agree in what the template keeps of them and differ in the rest. */
function differentSources({ names, others, common }: Overlap, kept: ReadonlySet<TemplateVariable>, budget: SearchBudget): Pair | undefined {
  const differing = kept.has('name') ? undefined : differentWords(names.name, others.name, budget);
  if (differing !== undefined) {
    const [name, otherName] = differing;
    return completed({ names, others, common: withParts(common, { one: { name }, other: { name: otherName } }) }, budget);
  }
  const namespaces = kept.has('namespace') ? undefined : differentNamespaces(names, others, budget);
  if (namespaces === undefined) return undefined;
  const [namespace, otherNamespace] = namespaces;
  return completed({ names, others, common: withParts(common, { one: { namespace }, other: { namespace: otherNamespace } }) }, budget);
}

function withParts(common: CommonTarget, parts: { readonly one: Partial<TakenParts>; readonly other: Partial<TakenParts> }): CommonTarget {
  return { ...common, one: { ...common.one, ...parts.one }, other: { ...common.other, ...parts.other } };
}

function differentNamespaces(one: SplitNames, other: SplitNames, budget: SearchBudget): Pair | undefined {
  if (one.namespace !== undefined && other.namespace !== undefined) return differentWords(one.namespace, other.namespace, budget);
  if (one.namespace === other.namespace) return undefined;
  const [first, second] = [one, other].map(({ namespace }) => (namespace === undefined ? '' : wordOf(namespace, budget)));
  return first === undefined || second === undefined ? undefined : [first, second];
}

/** The best example of an overlap: two different sources if there are any. */
function firstOverlap(one: PathSources, other: PathSources, budget: SearchBudget): Collision | undefined {
  let doubtful: Collision | undefined;
  for (const overlap of overlaps(one, other, budget)) {
    const pair = completed(overlap, budget);
    if (pair === undefined) continue;
    if (one.registry !== other.registry || pair[0] !== pair[1]) return collision(one, other, pair);
    doubtful ??= collision(one, other, pair);
  }
  return doubtful;
}

/** Parts that the target does not show may be any; where there is none, there is no such source. */
function completed({ names, others, common }: Overlap, budget: SearchBudget): Pair | undefined {
  const [first, second] = [sourceName(common.one, names, budget), sourceName(common.other, others, budget)];
  return first === undefined || second === undefined ? undefined : [first, second];
}

function sourceName(taken: TakenParts, { namespace, name }: SplitNames, budget: SearchBudget): string | undefined {
  const last = taken.name === '' ? wordOf(name, budget) : taken.name;
  const before = taken.namespace === '' && namespace !== undefined ? wordOf(namespace, budget) : taken.namespace;
  if (last === undefined || before === undefined) return undefined;
  return before === '' ? last : `${before}/${last}`;
}

function collision(one: PathSources, other: PathSources, [first, second]: Pair): Collision {
  return { one: { registry: one.registry, repository: first }, other: { registry: other.registry, repository: second } };
}
