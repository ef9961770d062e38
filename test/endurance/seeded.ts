/** Numbers from 0 up to 1 that depend on the seed alone (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As many of the list as wanted, each at most once, in an order that depends on the seed alone. */
export function sampleOf<T>(list: readonly T[], size: number, random: () => number): T[] {
  const left = [...list];
  const chosen: T[] = [];
  while (chosen.length < size && left.length > 0) chosen.push(...left.splice(Math.floor(random() * left.length), 1));
  return chosen;
}
