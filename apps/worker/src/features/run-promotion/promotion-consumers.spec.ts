import { describe, expect, it } from '@jest/globals';
import type { WorkerConfig } from '@waybill/config';
import type { Channel, TopologyRevision } from '@waybill/persistence';
import type { CloseOptions, Consumer, ConsumeOptions, JobHandler, JobQueue } from '@waybill/queue';
import { gate, settled } from '../../infrastructure/gate.spec-helper.js';
import { logged } from '../../infrastructure/logged.spec-helper.js';
import { PromotionConsumers } from './promotion-consumers.js';

/** A queue that notes who consumes what. */
class NotedQueue implements Pick<JobQueue, 'consume' | 'consumers'> {
  readonly open = new Map<string, Consumer & { readonly concurrency: number; readonly handler: JobHandler<never> }>();
  readonly drained: CloseOptions[] = [];
  /** What closing waits for. */
  closing: Promise<void> = Promise.resolve();

  consume<Payload>(job: { readonly name: string }, queueName: string, handler: JobHandler<Payload>, options: ConsumeOptions): Consumer {
    if (this.open.has(queueName)) throw new Error(`${queueName} is consumed twice`);
    const consumer = {
      job: job.name,
      queueName,
      concurrency: options.concurrency,
      handler,
      close: async (how: CloseOptions) => {
        this.drained.push(how);
        await this.closing;
        this.open.delete(queueName);
      },
    };
    this.open.set(queueName, consumer);
    return consumer;
  }

  consumers(): readonly Pick<Consumer, 'job' | 'queueName'>[] {
    return [...this.open.values()];
  }
}

class Scene {
  readonly queue = new NotedQueue();
  readonly log = logged();
  readonly runs: unknown[] = [];
  topologyLocations: string[] | undefined = ['eu'];
  openLocations: string[] = [];
  /** What the database does before it answers. */
  database: () => Promise<void> = () => Promise.resolve();
  #onTopology: () => void = () => undefined;
  readonly consumers: PromotionConsumers;

  constructor(locations: WorkerConfig['locations'] = 'all') {
    this.consumers = new PromotionConsumers({
      config: { locations, concurrency: 3, drainMs: 50 },
      queue: this.queue as unknown as JobQueue,
      revisions: {
        active: async () => {
          await this.database();
          if (this.topologyLocations === undefined) return undefined;
          return { topology: { locations: Object.fromEntries(this.topologyLocations.map((name) => [name, {}])) } } as TopologyRevision;
        },
      },
      outbox: { openLocations: () => Promise.resolve(this.openLocations) },
      notifications: {
        on: (channel: Channel, handler) => {
          if (channel === 'topology') this.#onTopology = () => handler('');
        },
      },
      runPromotion: { run: (message) => Promise.resolve(void this.runs.push(message)) },
      logger: this.log.logger,
    });
  }

  get served(): readonly string[] {
    return [...this.queue.open.keys()];
  }

  async applyTopology(...locations: string[]): Promise<void> {
    this.topologyLocations = locations;
    this.#onTopology();
    await settled();
  }
}

describe('PromotionConsumers', () => {
  it('serves every location of the active topology, each as wide as configured', async () => {
    const scene = new Scene();
    scene.topologyLocations = ['eu', 'us'];

    await scene.consumers.start();

    expect(scene.served).toEqual(['run-promotion.eu', 'run-promotion.us']);
    expect([...scene.queue.open.values()].map(({ concurrency }) => concurrency)).toEqual([3, 3]);
  });

  it('hands what it takes to the run', async () => {
    const scene = new Scene();
    await scene.consumers.start();
    const message = { promotionId: 'p', location: 'eu', dispatch: 1 };

    await scene.queue.open.get('run-promotion.eu')?.handler(message as never, { signal: new AbortController().signal });

    expect(scene.runs).toEqual([message]);
  });

  it('starts before any topology was applied, and serves its locations from then on', async () => {
    const scene = new Scene();
    scene.topologyLocations = undefined;
    await scene.consumers.start();
    expect(scene.served).toEqual([]);

    await scene.applyTopology('eu', 'us');

    expect(scene.served).toEqual(['run-promotion.eu', 'run-promotion.us']);
  });

  it('gives a new location its consumer, and keeps those of the old ones', async () => {
    const scene = new Scene();
    await scene.consumers.start();

    await scene.applyTopology('us');

    expect(scene.served).toEqual(['run-promotion.eu', 'run-promotion.us']);
  });

  it('serves a location that the topology no longer has while something is to be run there', async () => {
    const scene = new Scene();
    scene.openLocations = ['asia', 'eu'];
    await scene.consumers.start();
    expect(scene.served).toEqual(['run-promotion.eu', 'run-promotion.asia']);

    scene.openLocations = ['africa'];
    scene.consumers.follow();
    await settled();

    expect(scene.served).toEqual(['run-promotion.eu', 'run-promotion.asia', 'run-promotion.africa']);
  });

  it('serves the locations that it was given and no others', async () => {
    const scene = new Scene(['us']);
    scene.openLocations = ['asia'];
    await scene.consumers.start();

    await scene.applyTopology('eu', 'asia');

    expect(scene.served).toEqual(['run-promotion.us']);
  });

  it('does not start when the locations cannot be read', async () => {
    const scene = new Scene();
    scene.database = () => Promise.reject(new Error('the database is away'));

    await expect(scene.consumers.start()).rejects.toThrow('the database is away');
  });

  it('tries again when the locations could not be read later on', async () => {
    const scene = new Scene();
    await scene.consumers.start();
    scene.database = () => Promise.reject(new Error('the database is away'));
    await scene.applyTopology('eu', 'us');
    expect(scene.served).toEqual(['run-promotion.eu']);

    scene.database = () => Promise.resolve();
    scene.consumers.follow();
    await settled();

    expect(scene.log.saying('background work failed and will be tried again')).toHaveLength(1);
    expect(scene.served).toEqual(['run-promotion.eu', 'run-promotion.us']);
  });

  it('lets every consumer drain when it closes, and waits for them', async () => {
    const scene = new Scene();
    scene.topologyLocations = ['eu', 'us'];
    await scene.consumers.start();
    const draining = gate();
    scene.queue.closing = draining.passed;
    let isClosed = false;

    const closing = scene.consumers.close().then(() => (isClosed = true));
    await settled();
    expect(scene.queue.drained).toEqual([{ drainMs: 50 }, { drainMs: 50 }]);
    expect(isClosed).toBe(false);
    draining.open();
    await closing;

    expect(scene.served).toEqual([]);
  });

  it('closes the consumer of a location that was found while it closed, and makes none afterwards', async () => {
    const scene = new Scene();
    await scene.consumers.start();
    const reading = gate();
    scene.database = () => reading.passed;
    await scene.applyTopology('eu', 'us');

    const closing = scene.consumers.close();
    reading.open();
    await closing;
    await scene.applyTopology('eu', 'us', 'asia');

    expect(scene.served).toEqual([]);
    expect(scene.queue.drained).toHaveLength(2);
  });
});
