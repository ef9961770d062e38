import { Prisma } from '../generated/client.js';
import { type NameRange, rangesOfPatterns } from './name-range.js';

/**
 * The repositories that a caller may see, as patterns of libs/access. They are asked of PostgreSQL, so that a page holds
 * as many rows as it may, and only ranges of names are read in which one can be.
 */
export class VisibleRepositories {
  readonly ranges: readonly NameRange[];
  readonly #expressions: readonly string[];

  constructor(patterns: readonly string[]) {
    this.ranges = rangesOfPatterns(patterns);
    this.#expressions = patterns.includes('**') ? [] : [...new Set(patterns.map(expressionOf))];
  }

  /** Nothing at all is granted. */
  get isNone(): boolean {
    return this.ranges.length === 0;
  }

  /** Whether the repository named by the column is one of them. */
  has(column: Prisma.Sql): Prisma.Sql {
    if (this.#expressions.length === 0) return this.isNone ? Prisma.sql`false` : Prisma.sql`true`;
    return Prisma.sql`(${column} || '/') ~ ANY(${[...this.#expressions]}::text[])`;
  }
}

/** Of the name with a slash after it. PostgreSQL's engine does not backtrack, so no pattern can hold it up. */
function expressionOf(pattern: string): string {
  const segments = pattern.split('/');
  const parts = segments.map((segment, index) => {
    if (segment === '**') return index === segments.length - 1 ? '(?:[^/]+/)+' : '(?:[^/]+/)*';
    return `${segment
      .replaceAll(/[^a-zA-Z0-9*?]/g, String.raw`\$&`)
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')}/`;
  });
  return `^${parts.join('')}$`;
}
