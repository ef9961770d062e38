import { jestGlobals } from '../jest-globals.js';
import { startTypeScript } from '../typescript-process.js';
import { until } from '../until.js';
import { Gate, newProbeQueue, probeJob, type QueueBackendFixture, type Queues, Recorder } from './fixture.js';

const one = { concurrency: 1 } as const;

/** A worker may die and the backend may forget everything; the work goes on. */
export function describeLosses(queues: Queues, backend: () => QueueBackendFixture): void {
  const { describe, expect, it } = jestGlobals();

  describe('a backend that lost everything', () => {
    it('goes on with what is added anew, while a job is running', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const gate = new Gate();
      const recorder = new Recorder((id) => (id === 'running' ? gate.passed : Promise.resolve()));
      queue.consume(probeJob, name, recorder.handle, { concurrency: 2 });
      await queue.add(probeJob, [probe('running')]);
      await until('it runs', () => recorder.running === 1);

      await backend().lose();
      await queue.add(probeJob, [probe('next')]);
      await until('the next one ran', () => recorder.finished.includes('next'));
      gate.open();
      await until('the running one ended', () => recorder.finished.includes('running'));
      await until('its id runs again', async () => {
        await queue.add(probeJob, [probe('running')]);
        return recorder.times('running') >= 2;
      });
    });
  });

  describe('a worker that is killed', () => {
    it('has its job run by another', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const victim = startTypeScript(workerCode, { QUEUE: name, QUEUE_CONFIG: JSON.stringify(backend().config) });
      try {
        await queue.add(probeJob, [probe('a')]);
        expect(await victim.nextLine()).toEqual({ started: 'a' });
      } finally {
        await victim.kill('SIGKILL');
      }

      const recorder = new Recorder();
      queue.consume(probeJob, name, recorder.handle, one);

      await until('another ran it', () => recorder.finished.includes('a'));
    });
  });
}

/** A worker that says what it started and never ends it. */
const workerCode = `
  import { silentLogger } from '@waybill/observability';
  import { defineJob, openQueue } from '@waybill/queue';
  import { z } from 'zod';

  const { QUEUE, QUEUE_CONFIG } = process.env;
  const probe = defineJob({ name: 'probe', payload: z.looseObject({ id: z.string() }), queueFor: () => QUEUE, idFor: ({ id }) => id });
  const queue = await openQueue(JSON.parse(QUEUE_CONFIG), { logger: silentLogger });
  queue.consume(probe, QUEUE, ({ id }) => new Promise(() => console.log(JSON.stringify({ started: id }))), { concurrency: 1 });
`;
