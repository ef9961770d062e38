import { setTimeout as delay } from 'node:timers/promises';
import { type Environment, type SourceProcess, startSource } from '../source-process.js';

const pauseMs = 300;

/** A process that ended and was not killed. */
export interface OwnEnd {
  /** RFC 3339. */
  readonly at: string;
  readonly wasReady: boolean;
  /** The exit status, or the signal of somebody else. */
  readonly end: number | NodeJS.Signals;
  /** The end of what it wrote. */
  readonly log: string;
}

/** A process of Waybill that is started again whenever it is gone, as a supervisor does. */
export class Slot {
  readonly name: string;
  readonly ownEnds: OwnEnd[] = [];
  readonly #app: 'api' | 'worker';
  readonly #env: Environment;
  readonly #stopping = new AbortController();
  #process: SourceProcess | undefined;
  /** The process that was killed last. */
  #killed: SourceProcess | undefined;
  #isReady = false;
  #running: Promise<void> | undefined;

  constructor(name: string, app: 'api' | 'worker', env: Environment) {
    this.name = name;
    this.#app = app;
    this.#env = env;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** SIGKILL; the next one is started at once. */
  kill(): void {
    this.#isReady = false;
    const running = this.#process;
    if (running === undefined || running.hasEnded()) return;
    this.#killed = running;
    running.signal('SIGKILL');
  }

  log(): string {
    return this.#process?.log() ?? '';
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.kill();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const running = startSource(`apps/${this.#app}/src/main.ts`, this.#env);
      this.#process = running;
      running.child.stdout.on('data', (text: string) => {
        if (text.includes(`${this.#app} is ready`) && !running.hasEnded()) this.#isReady = true;
      });
      const end = await running.ended;
      const wasReady = this.#isReady;
      this.#isReady = false;
      if (this.#killed === running) continue;
      this.ownEnds.push({ at: new Date().toISOString(), wasReady, end, log: running.log() });
      await delay(pauseMs);
    }
  }
}
