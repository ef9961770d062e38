import type { Digest, Manifest } from '@waybill/oci-model';
import { allOrStop } from './all-or-stop.js';
import type { Place } from './copy-error.js';
import { type Graph, GraphBuilder, GraphTally } from './graph.js';
import type { Settings } from './options.js';

/** Gives a manifest by digest; undefined says that it is missing and that the walk should go on. */
export type LoadManifest = (digest: Digest, signal: AbortSignal) => Promise<Manifest | undefined>;

/** A walk of one side of a copy. */
export interface Walk {
  readonly load: LoadManifest;
  readonly side: Pick<Place, 'side' | 'target'>;
  readonly settings: Settings;
  /** Counts this graph together with others; by default it is counted alone. */
  readonly tally?: GraphTally;
}

/**
 * Reads every manifest beneath `root`, all platforms and nested indexes, each digest once.
 * Ends at the first failure, after the reads under way have stopped.
 * Rejects with CopyError: `graph-too-large`, or what `load` rejected with.
 */
export async function walkGraph(root: Manifest, walk: Walk): Promise<Graph> {
  const tally = walk.tally ?? new GraphTally(root.digest, walk.settings);
  const builder = new GraphBuilder(root.digest, { ...walk.side, operation: 'walk graph' }, tally);
  let frontier = builder.add(root);
  const read = async (digest: Digest, signal: AbortSignal): Promise<Digest[]> => {
    const manifest = await walk.load(digest, signal);
    return manifest === undefined ? [] : builder.add(manifest);
  };
  for (let depth = 2; frontier.length > 0; depth += 1) {
    builder.checkDepth(depth);
    frontier = (await allOrStop(frontier, walk.settings.signal, read)).flat();
  }
  return builder.finish();
}
