import { type Finding, quoted } from './finding.js';

const mostEntries = 1000;

/**
 * More entries than the checks, which compare entries with each other, are made for.
 * A file that has them is not looked into any further.
 */
export function tooManyEntries(data: unknown): Finding[] {
  if (typeof data !== 'object' || data === null) return [];
  return Object.entries(data).flatMap(([key, value]: [string, unknown]): Finding[] => {
    const count = typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
    if (count <= mostEntries) return [];
    return [
      {
        code: 'value-invalid',
        message: `${quoted(key)} has ${count} entries, more than the ${mostEntries} allowed`,
        path: [key],
        at: 'key',
      },
    ];
  });
}
