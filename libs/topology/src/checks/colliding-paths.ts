import { type Collision, findCollision } from '../collisions/find-collision.js';
import { PathSources } from '../collisions/path-sources.js';
import { SearchBudget, SearchExhausted } from '../collisions/search-budget.js';
import type { Draft } from '../draft.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';
import { applyTemplate, parseTemplate } from '../template.js';

/** Enough for hundreds of paths with different templates; a second or so in the worst case. */
const searchSteps = 200_000;

interface Candidate {
  readonly name: string;
  readonly targets: ReadonlySet<string>;
  readonly sources: PathSources;
  /** Where a collision of the path with itself is shown. */
  readonly template: DocumentPath;
}

/**
 * No target repository is made of two source repositories, neither by one path nor by two with
 * a common target. What cannot be ruled out is reported too.
 */
export function collidingPaths(draft: Draft): Finding[] {
  const budget = new SearchBudget(searchSteps);
  const found: Finding[] = [];
  const earlier: Candidate[] = [];
  for (const candidate of candidatesOf(draft)) {
    try {
      found.push(...withItself(candidate, budget));
      for (const other of earlier) found.push(...withEarlier(candidate, other, budget));
    } catch (error) {
      if (!(error instanceof SearchExhausted)) throw error;
      return [...found, undecided(candidate)];
    }
    earlier.push(candidate);
  }
  return found;
}

function candidatesOf(draft: Draft): Candidate[] {
  return Object.entries(draft.paths).flatMap(([name, entry]) => {
    const isTemplateWritten = Object.hasOwn(entry, 'target');
    const { from, to = [], repositories = [], target = isTemplateWritten ? '' : '{repository}' } = entry;
    const template = parseTemplate(target);
    if (from === undefined || !template.ok) return [];
    const globs = repositories.filter((glob) => glob !== undefined);
    const sources = new PathSources({ from, repositories: globs, template: template.segments });
    const targets = new Set(to.filter((registry) => registry !== undefined));
    return [{ name, targets, sources, template: isTemplateWritten ? ['paths', name, 'target'] : ['paths', name] }];
  });
}

function withItself({ name, targets, sources, template }: Candidate, budget: SearchBudget): Finding[] {
  const [registry] = targets;
  const found = registry === undefined ? undefined : findCollision(sources, sources, budget);
  if (registry === undefined || found === undefined) return [];
  const message = `path ${quoted(name)} collides with itself: ${explained(found, sources, registry)}`;
  return [{ code: 'paths-collide', message, path: template }];
}

function withEarlier(one: Candidate, earlier: Candidate, budget: SearchBudget): Finding[] {
  const registry = [...one.targets].find((target) => earlier.targets.has(target));
  const found = registry === undefined ? undefined : findCollision(earlier.sources, one.sources, budget);
  if (registry === undefined || found === undefined) return [];
  const message = `paths ${quoted(earlier.name)} and ${quoted(one.name)} collide: ${explained(found, earlier.sources, registry)}`;
  return [{ code: 'paths-collide', message, path: ['paths', one.name], at: 'key' }];
}

function explained({ one, other }: Collision, sources: PathSources, registry: string): string {
  const target = quoted(`${registry}/${applyTemplate(sources.template, one)}`);
  if (one.registry === other.registry && one.repository === other.repository) {
    return `their templates overlap, e.g. at ${target}, and different sources cannot be ruled out; use one template for both`;
  }
  return `${quoted(`${one.registry}/${one.repository}`)} and ${quoted(`${other.registry}/${other.repository}`)} would both become ${target}`;
}

function undecided({ name }: Candidate): Finding {
  const message = `paths are too many and too different to rule out collisions from ${quoted(name)} on: use fewer patterns or one template`;
  return { code: 'paths-collide', message, path: ['paths', name], at: 'key' };
}
