import type { Digest } from '@waybill/oci-model';

/** As much of what is in the trash as its order depends on. */
export interface Restorable {
  readonly digest: Digest;
  /** Itself and all manifests beneath it. */
  readonly holds: readonly Digest[];
  /** What it says something about. */
  readonly refers: readonly Digest[];
}

/**
 * The order in which what was deleted comes back: children before what lists them, subjects before what refers to them.
 * Ties fall by digest; what refers to each other in a circle comes last, in that order.
 */
export function restoreOrder<Entry extends Restorable>(entries: readonly Entry[]): readonly Entry[] {
  const byDigest = new Map(entries.map((entry) => [entry.digest, entry]));
  const sorted = [...byDigest.values()].sort((one, other) => (one.digest < other.digest ? -1 : 1));
  const waitsFor = new Map(sorted.map((entry) => [entry, needsOf(entry, byDigest)]));
  const ordered = new Set<Entry>();
  for (;;) {
    const ready = sorted.filter((entry) => !ordered.has(entry) && isReady(waitsFor.get(entry) ?? [], ordered));
    if (ready.length === 0) break;
    for (const entry of ready) ordered.add(entry);
  }
  return [...ordered, ...sorted.filter((entry) => !ordered.has(entry))];
}

function needsOf<Entry extends Restorable>({ digest, holds, refers }: Entry, byDigest: ReadonlyMap<Digest, Entry>): readonly Entry[] {
  const needed = new Set([...holds, ...refers].filter((one) => one !== digest));
  return [...needed].flatMap((one) => byDigest.get(one) ?? []);
}

function isReady<Entry>(needs: readonly Entry[], ordered: ReadonlySet<Entry>): boolean {
  return needs.every((need) => ordered.has(need));
}
