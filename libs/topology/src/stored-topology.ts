import type { Topology } from './model.js';

/**
 * A topology as a revision holds it, which was validated before it was stored.
 * One that was stored before there was retention has none, and the same canonical text as ever.
 */
export function storedTopology(document: unknown): Topology {
  return { retention: [], ...(document as Omit<Topology, 'retention'>) };
}
