import { randomUUID } from 'node:crypto';
import type { QueueConfig } from '@waybill/config';
import { createLogger, type Logger } from '@waybill/observability';
import { defineJob, type JobContext, type JobQueue, openQueue } from '@waybill/queue';
import { z } from 'zod';

/** A real backend that can be taken away. */
export interface QueueBackendFixture {
  readonly config: QueueConfig;
  /** Makes it unreachable; what it held may be kept. */
  stop(): Promise<void>;
  /** Makes it reachable again at the same address. */
  resume(): Promise<void>;
  /** Takes away everything that it holds, while it is up. */
  lose(): Promise<void>;
  /** Ends it for good. */
  dispose(): Promise<void>;
}

/** What the suite's job carries: the queue it is for, and its id. */
export const Probe = z.strictObject({ v: z.literal(1), queue: z.string(), id: z.string() });
export type Probe = z.infer<typeof Probe>;

export const probeJob = defineJob<Probe>({
  name: 'probe',
  payload: Probe,
  queueFor: ({ queue }) => `probe.${queue}`,
  idFor: ({ id }) => `id-${id}`,
});

/** A queue that no other test uses. */
export interface ProbeQueue {
  readonly name: string;
  probe(id: string): Probe;
}

export function newProbeQueue(): ProbeQueue {
  const queue = randomUUID();
  return { name: `probe.${queue}`, probe: (id) => ({ v: 1, queue, id }) };
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
}

/** Opens queues on one backend, keeps what they log, and closes them all. */
export class Queues {
  readonly lines: LogLine[] = [];
  readonly #config: () => QueueConfig;
  readonly #opened: JobQueue[] = [];

  constructor(config: () => QueueConfig) {
    this.#config = config;
  }

  async open(): Promise<JobQueue> {
    const queue = await openQueue(this.#config(), { logger: this.#logger() });
    this.#opened.push(queue);
    return queue;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((queue) => queue.close()));
    this.lines.length = 0;
  }

  #logger(): Logger {
    return createLogger({
      name: 'spec',
      level: 'info',
      destination: { write: (line) => void this.lines.push(JSON.parse(line) as LogLine) },
    });
  }
}

/** A handler that remembers what it ran, and may hold or fail it. */
export class Recorder {
  readonly started: string[] = [];
  readonly finished: string[] = [];
  running = 0;
  mostAtOnce = 0;
  readonly #act: (id: string, context: JobContext) => Promise<void>;

  constructor(act: (id: string, context: JobContext) => Promise<void> = async () => undefined) {
    this.#act = act;
  }

  readonly handle = async ({ id }: Probe, context: JobContext): Promise<void> => {
    this.started.push(id);
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    try {
      await this.#act(id, context);
      this.finished.push(id);
    } finally {
      this.running -= 1;
    }
  };

  times(id: string): number {
    return this.started.filter((other) => other === id).length;
  }
}

/** A door that handlers wait at. */
export class Gate {
  readonly passed: Promise<void>;
  open: () => void = () => undefined;

  constructor() {
    this.passed = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** Waits until a handler is told to end. */
export function untilAborted({ signal }: JobContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
