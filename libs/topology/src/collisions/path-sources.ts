import { parseGlob } from '../glob.js';
import type { TemplateSegment, TemplateVariable } from '../template.js';
import { namesIn } from './name-automaton.js';
import type { SearchBudget } from './search-budget.js';
import { type SplitNames, splitNames } from './split-names.js';
import { type TargetNames, targetNames } from './target-names.js';

/** What a path takes from its source, and how it names it at the target. */
export class PathSources {
  readonly registry: string;
  /** `{namespace}/{name}` is written `{repository}` here. */
  readonly template: readonly TemplateSegment[];
  readonly #repositories: readonly string[];
  #made: readonly MadeNames[] | undefined;

  constructor({ from, repositories, template }: WrittenPath) {
    this.registry = from;
    this.template = withWholeNames(template);
    this.#repositories = repositories;
  }

  /** All sources, in parts, and what the template makes of each part. Worked out when first asked for. */
  made(budget: SearchBudget): readonly MadeNames[] {
    this.#made ??= this.#repositories.flatMap((glob) => this.#madeOf(glob, budget));
    return this.#made;
  }

  #madeOf(glob: string, budget: SearchBudget): MadeNames[] {
    const parsed = parseGlob(glob, 'repository');
    if (!parsed.ok) return [];
    return splitNames(namesIn(parsed.automaton, budget)).flatMap((sources) => {
      const targets = targetNames(this.template, sources, this.registry);
      return targets === undefined ? [] : [{ sources, targets }];
    });
  }
}

export interface WrittenPath {
  readonly from: string;
  /** Globs; those that do not parse match nothing. */
  readonly repositories: readonly string[];
  readonly template: readonly TemplateSegment[];
}

export interface MadeNames {
  readonly sources: SplitNames;
  readonly targets: TargetNames;
}

function withWholeNames(segments: readonly TemplateSegment[]): TemplateSegment[] {
  return segments.flatMap((segment, index): TemplateSegment[] => {
    if (isOnly(segment, 'namespace') && isOnly(segments[index + 1], 'name')) return [[{ variable: 'repository' }]];
    return isOnly(segment, 'name') && isOnly(segments[index - 1], 'namespace') ? [] : [segment];
  });
}

function isOnly(segment: TemplateSegment | undefined, variable: TemplateVariable): boolean {
  const [piece, ...rest] = segment ?? [];
  return piece !== undefined && rest.length === 0 && 'variable' in piece && piece.variable === variable;
}
