/** What lines lack and have too much, as often as they do; nothing when both hold the same. */
export function differenceOf(expected: readonly string[], actual: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of expected) counts.set(line, (counts.get(line) ?? 0) - 1);
  for (const line of actual) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [...counts]
    .flatMap(([line, count]) => Array.from({ length: Math.abs(count) }, () => `${count < 0 ? 'missing' : 'too much'}: ${line}`))
    .sort();
}
