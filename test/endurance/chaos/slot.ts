import { setTimeout as delay } from 'node:timers/promises';
import { type Environment, type SourceProcess, startSource } from '../source-process.js';

const pauseMs = 300;

/** A process of Waybill that is started again whenever it is gone, as a supervisor does. */
export class Slot {
  readonly name: string;
  /** How often it ended by itself, as when the database was away while it started. */
  ownEnds = 0;
  /** What it ended with, each time. */
  readonly lastWords: string[] = [];
  readonly #app: 'api' | 'worker';
  readonly #env: Environment;
  readonly #stopping = new AbortController();
  #process: SourceProcess | undefined;
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
    this.#process?.signal('SIGKILL');
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
      const moment = this.#isReady ? 'at work' : 'before it was ready';
      this.#isReady = false;
      if (end === 'SIGKILL') continue;
      this.ownEnds += 1;
      this.lastWords.push(`${moment}: ${lastLine(running.log()).slice(0, 1_000)}`);
      await delay(pauseMs);
    }
  }
}

function lastLine(log: string): string {
  return log.trimEnd().split('\n').at(-1) ?? '';
}
