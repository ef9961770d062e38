import { randomUUID } from 'node:crypto';
import { defineJob } from '@waybill/queue';
import { z } from 'zod';
import { jestGlobals } from '../jest-globals.js';
import { until } from '../until.js';
import { Gate, newProbeQueue, type Probe, probeJob, type Queues, Recorder } from './fixture.js';

const one = { concurrency: 1 } as const;

/** What is added arrives, once per id, in its queue. */
export function describeDelivery(queues: Queues): void {
  const { describe, expect, it } = jestGlobals();

  describe('delivery', () => {
    it('runs every job once', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder();
      queue.consume(probeJob, name, recorder.handle, one);

      await queue.add(probeJob, ['a', 'b', 'c'].map(probe));
      await until('all ran', () => recorder.finished.length >= 3);
      await queue.add(probeJob, [probe('sentinel')]);
      await until('the sentinel ran', () => recorder.times('sentinel') === 1);

      expect([...recorder.finished].sort()).toEqual(['a', 'b', 'c', 'sentinel']);
    });

    it('ignores an id that is waiting', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder();

      await queue.add(probeJob, [probe('a'), probe('a')]);
      await queue.add(probeJob, [probe('a')]);
      await queue.add(probeJob, [probe('sentinel')]);
      queue.consume(probeJob, name, recorder.handle, one);
      await until('the sentinel ran', () => recorder.times('sentinel') === 1);

      expect(recorder.started).toEqual(['a', 'sentinel']);
    });

    it('ignores an id that is running', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const gate = new Gate();
      const recorder = new Recorder(() => gate.passed);
      queue.consume(probeJob, name, recorder.handle, { concurrency: 4 });

      await queue.add(probeJob, [probe('a')]);
      await until('it runs', () => recorder.running === 1);
      await queue.add(probeJob, [probe('a')]);
      await queue.add(probeJob, [probe('sentinel')]);
      await until('the sentinel runs', () => recorder.times('sentinel') === 1);
      gate.open();

      expect(recorder.times('a')).toBe(1);
    });

    it('runs an id again that has ended', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder();
      queue.consume(probeJob, name, recorder.handle, one);

      await until('it ran twice', async () => {
        await queue.add(probeJob, [probe('a')]);
        return recorder.times('a') >= 2;
      });
    });

    it('carries many jobs of several queues in one call', async () => {
      const queue = await queues.open();
      const probes = [newProbeQueue(), newProbeQueue(), newProbeQueue()];
      const recorders = probes.map(() => new Recorder());
      probes.forEach(({ name }, index) => queue.consume(probeJob, name, recorders[index]?.handle ?? fail, { concurrency: 20 }));

      const ids = Array.from({ length: 250 }, (_, index) => String(index));
      await queue.add(
        probeJob,
        ids.flatMap((id) => probes.map(({ probe }) => probe(id))),
      );
      await until('all ran', () => recorders.every(({ finished }) => finished.length >= ids.length));

      for (const { started } of recorders) expect(new Set(started)).toEqual(new Set(ids));
    });

    it('keeps queues apart', async () => {
      const queue = await queues.open();
      const [here, there] = [newProbeQueue(), newProbeQueue()];
      const recorder = new Recorder();
      queue.consume(probeJob, here.name, recorder.handle, one);

      await queue.add(probeJob, [there.probe('elsewhere'), here.probe('a')]);
      await until('it ran', () => recorder.times('a') === 1);

      expect(recorder.started).toEqual(['a']);
    });

    it('runs as many at once as it is told, and no more', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const gate = new Gate();
      const recorder: Recorder = new Recorder(async () => {
        if (recorder.running === 3) gate.open();
        await gate.passed;
      });
      queue.consume(probeJob, name, recorder.handle, { concurrency: 3 });

      const ids = Array.from({ length: 20 }, (_, index) => String(index));
      await queue.add(probeJob, ids.map(probe));
      await until('all ran', () => recorder.finished.length === ids.length);

      expect(recorder.mostAtOnce).toBe(3);
    });

    it('shares the jobs of a queue between processes', async () => {
      const [first, second] = [await queues.open(), await queues.open()];
      const { name, probe } = newProbeQueue();
      const both = new Gate();
      const recorders = [new Recorder(() => both.passed), new Recorder(() => both.passed)] as const;
      first.consume(probeJob, name, recorders[0].handle, one);
      second.consume(probeJob, name, recorders[1].handle, one);

      await first.add(probeJob, ['a', 'b'].map(probe));
      await until('both run one', () => recorders.every(({ running }) => running === 1));
      both.open();

      expect([...recorders[0].started, ...recorders[1].started].sort()).toEqual(['a', 'b']);
    });
  });

  describe('a failing handler', () => {
    it('stops neither the queue nor its own id', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder: Recorder = new Recorder(async (id) => {
        if (id === 'bad' && recorder.times('bad') === 1) throw new Error('broken on purpose');
      });
      queue.consume(probeJob, name, recorder.handle, one);

      await queue.add(probeJob, ['bad', 'good'].map(probe));
      await until('the next one ran', () => recorder.finished.includes('good'));
      await until('the bad one ran again when it was added again', async () => {
        await queue.add(probeJob, [probe('bad')]);
        return recorder.finished.includes('bad');
      });
    });

    it('is logged, and its job is not repeated', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder(async (id) => {
        if (id === 'bad') throw new Error('broken on purpose');
      });
      queue.consume(probeJob, name, recorder.handle, one);

      await queue.add(probeJob, [probe('bad')]);
      await until('it ran', () => recorder.times('bad') === 1);
      await queue.add(probeJob, [probe('sentinel')]);
      await until('the sentinel ran', () => recorder.times('sentinel') === 1);

      expect(recorder.times('bad')).toBe(1);
      expect(queues.lines).toContainEqual(
        expect.objectContaining({ level: 'error', jobId: 'id-bad', err: expect.objectContaining({ message: 'broken on purpose' }) }),
      );
    });
  });

  describe('a payload that does not match its schema', () => {
    it('is refused when it is added, and with it the whole call', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder();
      queue.consume(probeJob, name, recorder.handle, one);

      const bad = { ...probe('bad'), v: 2 } as unknown as Probe;
      await expect(queue.add(probeJob, [probe('good'), bad])).rejects.toMatchObject({ code: 'payload-invalid', retryable: false });
      await queue.add(probeJob, [probe('sentinel')]);
      await until('the sentinel ran', () => recorder.times('sentinel') === 1);

      expect(recorder.started).toEqual(['sentinel']);
    });

    it('reaches no handler when another version added it', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder();
      const laterVersion = defineJob({ ...probeJob, payload: z.looseObject({ queue: z.string(), id: z.string() }) });

      await queue.add(laterVersion, [{ ...probe('later'), v: 2 }]);
      await queue.add(probeJob, [probe('sentinel')]);
      queue.consume(probeJob, name, recorder.handle, one);
      await until('the sentinel ran', () => recorder.times('sentinel') === 1);

      expect(recorder.started).toEqual(['sentinel']);
      expect(queues.lines).toContainEqual(
        expect.objectContaining({ level: 'error', err: expect.objectContaining({ code: 'payload-invalid' }) }),
      );
    });
  });

  describe('a process', () => {
    it('has one handler per queue, until that is closed', async () => {
      const queue = await queues.open();
      const { name } = newProbeQueue();
      const consumer = queue.consume(probeJob, name, async () => undefined, one);

      expect(() => queue.consume(probeJob, name, async () => undefined, one)).toThrow(expect.objectContaining({ code: 'handler-exists' }));
      expect(queue.consumers()).toEqual([{ job: 'probe', queueName: name }]);
      await consumer.close({ drainMs: 0 });
      expect(queue.consumers()).toEqual([]);
      expect(() => queue.consume(probeJob, name, async () => undefined, one)).not.toThrow();
    });

    it('cannot run a job from the queue of another', async () => {
      const queue = await queues.open();

      expect(() => queue.consume(probeJob, `other.${randomUUID()}`, async () => undefined, one)).toThrow(
        expect.objectContaining({ code: 'job-invalid' }),
      );
    });

    it('is told when it uses a closed queue', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      await queue.close();

      await expect(queue.add(probeJob, [probe('a')])).rejects.toMatchObject({ code: 'queue-closed' });
      expect(() => queue.consume(probeJob, name, async () => undefined, one)).toThrow(expect.objectContaining({ code: 'queue-closed' }));
      expect(await queue.health()).toMatchObject({ status: 'down' });
    });
  });
}

async function fail(): Promise<never> {
  throw new Error('no such recorder');
}
