import type { Draft } from '../draft.js';
import { type Finding, quoted } from '../finding.js';

const accesses = ['read', 'write', 'delete'] as const;
const sources = ['secret', 'dockerConfig', 'helper'] as const;

/** Credentials come from one place: of two, nobody could tell which was meant. */
export function credentialSources(draft: Draft): Finding[] {
  return Object.entries(draft.registries).flatMap(([registry, { credentials }]) =>
    accesses.flatMap((access): Finding[] => {
      const source = credentials?.[access];
      if (source === undefined) return [];
      const given = sources.filter((key) => Object.hasOwn(source, key));
      if (given.length === 1) return [];
      const problem = given.length === 0 ? 'says not where credentials come from' : `takes credentials from ${given.length} places`;
      return [
        {
          code: 'credentials-source',
          message: `${quoted(access)} ${problem}: give one of secret, dockerConfig and helper`,
          path: ['registries', registry, 'credentials', access],
          at: 'key',
        },
      ];
    }),
  );
}
