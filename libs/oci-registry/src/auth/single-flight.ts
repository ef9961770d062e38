import { ContentError } from '@waybill/oci-model';

interface Flight<Result> {
  readonly result: Promise<Result>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Does what many ask for at the same time once. Each of them may stop waiting by its own signal;
 * the work itself is given up when nobody waits for it any more.
 */
export class SingleFlight<Result> {
  readonly #operation: string;
  readonly #flights = new Map<string, Flight<Result>>();

  /** @param operation for the error of whoever stops waiting */
  constructor(operation: string) {
    this.#operation = operation;
  }

  /** Rejects as the work does, or with a ContentError `aborted`. */
  async run(key: string, work: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    if (signal?.aborted === true) throw this.#aborted(signal);
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.waiting += 1;
    try {
      return await this.#untilAborted(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) this.#end(key, flight);
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<Result>): Flight<Result> {
    const controller = new AbortController();
    const result = work(controller.signal);
    const flight = { result, controller, waiting: 0 };
    this.#flights.set(key, flight);
    const done = (): void => this.#forget(key, flight);
    result.then(done, done);
    return flight;
  }

  #end(key: string, flight: Flight<Result>): void {
    this.#forget(key, flight);
    flight.controller.abort();
  }

  #forget(key: string, flight: Flight<Result>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  async #untilAborted(result: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    if (signal === undefined) return await result;
    let abort: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      abort = () => reject(this.#aborted(signal));
      signal.addEventListener('abort', abort);
    });
    try {
      return await Promise.race([result, aborted]);
    } finally {
      if (abort !== undefined) signal.removeEventListener('abort', abort);
    }
  }

  #aborted({ reason }: AbortSignal): ContentError {
    return new ContentError(`${this.#operation} was aborted`, { code: 'aborted', operation: this.#operation, cause: reason });
  }
}
