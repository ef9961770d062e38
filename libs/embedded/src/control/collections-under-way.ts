import type { CollectedSpace } from '../registry/collect-garbage.js';
import { collectionBusy, type CollectionPhase } from '../registry/served-registry.js';
import type { LocalRegistryProcess } from '../registry/start-local-registry-process.js';

type Listener = (phase: CollectionPhase) => void;

interface UnderWay {
  readonly id: string;
  readonly listeners: Set<Listener>;
  readonly end: Promise<CollectedSpace>;
  phase: CollectionPhase | undefined;
  isOver: boolean;
}

/**
 * The newest collection of each registry. One goes on when whoever asked for it has died; who then asks for the same one
 * is told of it, also when it has ended well since.
 */
export class CollectionsUnderWay {
  readonly #newest = new Map<string, UnderWay>();

  /** Begins a collection, or joins it. Rejects as {@link LocalRegistryProcess.collect} does. */
  async collect(
    registry: LocalRegistryProcess,
    { id, isDryRun }: { readonly id: string; readonly isDryRun: boolean },
    onPhase: Listener,
  ): Promise<CollectedSpace> {
    const known = this.#newest.get(registry.name);
    if (known?.id === id) return follow(known, onPhase);
    if (known?.isOver === false) throw collectionBusy(registry.name);
    return follow(this.#begin(registry, id, isDryRun), onPhase);
  }

  /** Of one that fails nothing is kept: the same may be tried again. */
  #begin(registry: LocalRegistryProcess, id: string, isDryRun: boolean): UnderWay {
    const listeners = new Set<Listener>();
    const told: Pick<UnderWay, 'phase' | 'isOver'> = { phase: undefined, isOver: false };
    const onPhase = (phase: CollectionPhase): void => {
      told.phase = phase;
      for (const listener of listeners) listener(phase);
    };
    const underWay: UnderWay = Object.assign(told, { id, listeners, end: registry.collect({ isDryRun, onPhase }) });
    this.#newest.set(registry.name, underWay);
    underWay.end.then(
      () => (underWay.isOver = true),
      () => this.#newest.delete(registry.name),
    );
    return underWay;
  }
}

async function follow(underWay: UnderWay, onPhase: Listener): Promise<CollectedSpace> {
  if (underWay.phase !== undefined) onPhase(underWay.phase);
  underWay.listeners.add(onPhase);
  try {
    return await underWay.end;
  } finally {
    underWay.listeners.delete(onPhase);
  }
}
