import type { JobQueue } from '@waybill/queue';
import { jestGlobals } from '../jest-globals.js';
import { until } from '../until.js';
import { Gate, newProbeQueue, type Probe, probeJob, type QueueBackendFixture, type Queues, Recorder } from './fixture.js';

const one = { concurrency: 1 } as const;

/** While the backend is away nothing hangs and nothing ends; when it is back everything goes on by itself. */
export function describeOutages(queues: Queues, backend: () => QueueBackendFixture): void {
  const { afterEach, describe, expect, it } = jestGlobals();
  afterEach(() => backend().resume());

  describe('a backend that is away', () => {
    it('is told by add in bounded time, and by health, and add works when it is back', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      await queue.add(probeJob, [probe('before')]);

      await backend().stop();
      await expect(queue.add(probeJob, [probe('during')])).rejects.toMatchObject({ code: 'queue-unavailable', retryable: true });
      expect(await queue.health()).toMatchObject({ status: 'down', reason: expect.any(String) });
      await backend().resume();
      await addWhenBack(queue, probe('after'));

      const recorder = new Recorder();
      queue.consume(probeJob, name, recorder.handle, one);
      await until('it ran', () => recorder.finished.includes('after'));
      expect(await queue.health()).toMatchObject({ status: 'up' });
    });

    it('does not end its consumers', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder();
      queue.consume(probeJob, name, recorder.handle, one);
      await queue.add(probeJob, [probe('before')]);
      await until('it ran', () => recorder.finished.includes('before'));

      await backend().stop();
      await backend().resume();
      await addWhenBack(queue, probe('after'));

      await until('the next one ran', () => recorder.finished.includes('after'));
    });

    it('does not end what is running', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const gate = new Gate();
      const recorder = new Recorder(() => gate.passed);
      queue.consume(probeJob, name, recorder.handle, { concurrency: 2 });
      await queue.add(probeJob, [probe('a')]);
      await until('it runs', () => recorder.running === 1);

      await backend().stop();
      gate.open();
      await until('it ended', () => recorder.finished.includes('a'));
      await backend().resume();
      await addWhenBack(queue, probe('b'));

      await until('the next one ran', () => recorder.finished.includes('b'));
    });

    it('is logged once per connection, not once per failure', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder();
      queue.consume(probeJob, name, recorder.handle, one);
      await queue.add(probeJob, [probe('before')]);
      await until('it ran', () => recorder.finished.includes('before'));

      await backend().stop();
      for (let attempt = 0; attempt < 3; attempt += 1) {
        await expect(queue.add(probeJob, [probe('during')])).rejects.toMatchObject({ code: 'queue-unavailable' });
      }
      await backend().resume();
      await addWhenBack(queue, probe('after'));
      await until('the next one ran', () => recorder.finished.includes('after'));

      const told = queues.lines.filter(({ level }) => level !== 'info').map(({ msg }) => msg);
      expect(told.length).toBeGreaterThanOrEqual(1);
      expect(told.length).toBeLessThanOrEqual(2);
      expect(new Set(told)).toEqual(new Set(['the queue cannot be reached']));
    });

    it('is waited for by a queue and a consumer that are opened meanwhile', async () => {
      await backend().stop();
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder();
      queue.consume(probeJob, name, recorder.handle, one);
      await expect(queue.add(probeJob, [probe('during')])).rejects.toMatchObject({ code: 'queue-unavailable' });

      await backend().resume();
      await addWhenBack(queue, probe('after'));

      await until('it ran', () => recorder.finished.includes('after'));
    });

    it('keeps nobody from closing', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const gate = new Gate();
      const recorder = new Recorder(() => gate.passed);
      queue.consume(probeJob, name, recorder.handle, one);
      queue.consume(probeJob, newProbeQueue().name, recorder.handle, one);
      await queue.add(probeJob, [probe('a')]);
      await until('it runs', () => recorder.running === 1);

      await backend().stop();
      await queue.close();
      gate.open();

      expect(queue.consumers()).toEqual([]);
    });

    it('keeps nobody from closing what was never opened', async () => {
      await backend().stop();
      const queue = await queues.open();
      queue.consume(probeJob, newProbeQueue().name, async () => undefined, one);

      await queue.close();

      expect(queue.consumers()).toEqual([]);
    });
  });
}

async function addWhenBack(queue: JobQueue, payload: Probe): Promise<void> {
  await until('the queue takes jobs again', async () => {
    try {
      await queue.add(probeJob, [payload]);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'queue-unavailable') return false;
      throw error;
    }
  });
}
