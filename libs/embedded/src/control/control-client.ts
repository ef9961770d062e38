import { connect, type Socket } from 'node:net';
import { EmbeddedError } from '../embedded-error.js';
import type { CollectedSpace } from '../registry/collect-garbage.js';
import type { CollectionPhase } from '../registry/served-registry.js';
import { type ControlAnswer, type ControlledRegistry, type ControlRequest, maxAnswerLength, parseAnswer } from './control-protocol.js';
import { readLines } from './read-lines.js';

export interface CollectRequest {
  readonly registry: string;
  /** Names the collection: asked for again, what goes on is waited for. */
  readonly id: string;
  readonly isDryRun: boolean;
  /** Called as each phase begins; the answer waits for it. */
  readonly onPhase: (phase: CollectionPhase) => Promise<void>;
  /** Ends the waiting, not the collection. */
  readonly signal: AbortSignal;
}

const listTimeoutMs = 10_000;

/** Speaks with the supervisor of local registries. Codes of all methods: `control-unreachable`, `cancelled`. */
export class ControlClient {
  readonly #path: string;

  /** `path`: as the supervisor's {@link ControlServer} gives it. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The registries that run there. */
  async registries(): Promise<readonly ControlledRegistry[]> {
    for await (const answer of this.#ask({ verb: 'registries' }, AbortSignal.timeout(listTimeoutMs))) {
      if ('registries' in answer) return answer.registries;
    }
    throw this.#unreachable();
  }

  /** Codes too: those of {@link LocalRegistryProcess.collect}, `registry-unknown`. */
  async collect({ onPhase, signal, ...request }: CollectRequest): Promise<CollectedSpace> {
    for await (const answer of this.#ask({ verb: 'collect', ...request }, signal)) {
      if ('phase' in answer) await onPhase(answer.phase);
      if ('collected' in answer) return answer.collected;
      if ('error' in answer) throw new EmbeddedError(answer.error.message, { ...answer.error, operation: `collect ${request.registry}` });
    }
    throw this.#unreachable();
  }

  async *#ask(request: ControlRequest, signal: AbortSignal): AsyncGenerator<ControlAnswer> {
    const socket = connect({ path: this.#path });
    const cut = (): void => void socket.destroy();
    signal.addEventListener('abort', cut, { once: true });
    if (signal.aborted) cut();
    try {
      socket.write(`${JSON.stringify(request)}\n`);
      yield* answersOf(socket);
    } catch (cause) {
      if (!signal.aborted) throw this.#unreachable(cause);
    } finally {
      signal.removeEventListener('abort', cut);
      socket.destroy();
    }
    if (signal.aborted) throw waitingEnded(signal);
  }

  #unreachable(cause?: unknown): EmbeddedError {
    return new EmbeddedError('the supervisor of the local registries does not answer: is "waybill up" still running?', {
      code: 'control-unreachable',
      operation: 'ask the supervisor',
      retryable: true,
      cause,
    });
  }
}

async function* answersOf(socket: Socket): AsyncGenerator<ControlAnswer> {
  for await (const line of readLines(socket, maxAnswerLength)) {
    const answer = parseAnswer(line);
    if (answer !== undefined) yield answer;
  }
}

function waitingEnded({ reason }: AbortSignal): EmbeddedError {
  return new EmbeddedError('the waiting was ended', { code: 'cancelled', operation: 'ask the supervisor', cause: reason });
}
