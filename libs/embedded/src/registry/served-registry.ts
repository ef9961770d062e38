import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedError } from '../embedded-error.js';
import type { ProcessIdentity } from '../process/process-identity.js';
import type { SupervisedProcess } from '../process/supervise-process.js';
import { type CollectedSpace, collectGarbage } from './collect-garbage.js';
import { type Launch, launchRegistry } from './launch-registry.js';

/** What a collection is at: the registry refuses writes; something is removed; it is to take writes again. */
export type CollectionPhase = 'read-only' | 'collecting' | 'restarting';

export interface CollectOptions {
  /** Say what would be given back, and touch nothing. */
  readonly isDryRun: boolean;
  /** Called as each phase begins. */
  readonly onPhase?: (phase: CollectionPhase) => void;
  readonly signal?: AbortSignal;
}

export interface ServedRegistryOptions {
  readonly onUnexpectedExit?: ((error: EmbeddedError) => void) | undefined;
  readonly onRestart?: ((child: ProcessIdentity) => Promise<void>) | undefined;
}

/** Its own port may be taken by another program in the moment that it is free. */
const restartTries = 50;
const betweenTriesMs = 100;

/**
 * A registry from its first process to its last. Invariants: of its processes one lives at a time; nothing is removed but
 * beneath one that refuses writes; however a collection ends, the registry then takes writes, or its end is reported.
 */
export class ServedRegistry {
  readonly #launch: Launch;
  readonly #options: ServedRegistryOptions;
  readonly #stopped = new AbortController();
  #child: SupervisedProcess;
  #collecting: Promise<unknown> | undefined;

  constructor(launch: Launch, child: SupervisedProcess, options: ServedRegistryOptions) {
    this.#launch = launch;
    this.#child = child;
    this.#options = options;
  }

  async collect(options: CollectOptions): Promise<CollectedSpace> {
    const { name, engine } = this.#launch;
    if (engine.engine !== 'docker-registry') throw unsupported(name);
    if (this.#collecting !== undefined) throw collectionBusy(name);
    const signal = AbortSignal.any([this.#stopped.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    const collecting = options.isDryRun ? this.#look(options, signal) : this.#collect(options, signal);
    this.#collecting = collecting;
    try {
      return await collecting;
    } finally {
      this.#collecting = undefined;
    }
  }

  /** Breaks a collection off first. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the registry is stopped'));
    await this.#collecting?.catch(() => undefined);
    await this.#child.stop();
  }

  #look({ onPhase }: CollectOptions, signal: AbortSignal): Promise<CollectedSpace> {
    onPhase?.('collecting');
    return collectGarbage(this.#launch, { isDryRun: true, signal });
  }

  /** The restart at the end drops what the registry remembers of its blobs, besides taking writes. */
  async #collect({ onPhase }: CollectOptions, signal: AbortSignal): Promise<CollectedSpace> {
    try {
      onPhase?.('read-only');
      await this.#restart(true);
      onPhase?.('collecting');
      return await collectGarbage(this.#launch, { isDryRun: false, signal });
    } finally {
      onPhase?.('restarting');
      await this.#restart(false);
    }
  }

  /** Not broken off by a collection's signal: half a restart helps nobody. */
  async #restart(isReadOnly: boolean): Promise<void> {
    if (this.#isStopped()) return;
    await this.#child.stop();
    try {
      this.#child = await this.#launchAgain(isReadOnly);
      await this.#options.onRestart?.(this.#child);
    } catch (error) {
      if (error instanceof EmbeddedError && !this.#isStopped()) this.#options.onUnexpectedExit?.(error);
      throw error;
    }
  }

  #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  async #launchAgain(isReadOnly: boolean): Promise<SupervisedProcess> {
    const { onUnexpectedExit } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await launchRegistry(this.#launch, { isReadOnly, onUnexpectedExit, signal: this.#stopped.signal });
      } catch (error) {
        const isTaken = error instanceof EmbeddedError && error.code === 'port-unavailable';
        if (!isTaken || attempt === restartTries) throw error;
        await delay(betweenTriesMs, undefined, { signal: this.#stopped.signal });
      }
    }
  }
}

function unsupported(name: string): EmbeddedError {
  return new EmbeddedError(
    `${name} is served by the built-in registry, which is for trying out and gives no space back: install docker-registry and push anew, or remove its folder`,
    { code: 'collection-unsupported', operation: `collect ${name}` },
  );
}

/** Another collection of the registry is under way. */
export function collectionBusy(name: string): EmbeddedError {
  return new EmbeddedError(`${name} is being collected already`, {
    code: 'collection-busy',
    operation: `collect ${name}`,
    retryable: true,
  });
}
