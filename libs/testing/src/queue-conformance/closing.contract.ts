import { jestGlobals } from '../jest-globals.js';
import { until } from '../until.js';
import { Gate, newProbeQueue, probeJob, type Queues, Recorder, untilAborted } from './fixture.js';

const one = { concurrency: 1 } as const;

/** A consumer that closes finishes, or hands over. */
export function describeClosing(queues: Queues): void {
  const { describe, expect, it } = jestGlobals();

  describe('a closing consumer', () => {
    it('lets its handlers finish', async () => {
      const queue = await queues.open();
      const { name, probe } = newProbeQueue();
      const gate = new Gate();
      const recorder = new Recorder(() => gate.passed);
      const consumer = queue.consume(probeJob, name, recorder.handle, one);
      await queue.add(probeJob, [probe('a')]);
      await until('it runs', () => recorder.running === 1);

      const closing = consumer.close({ drainMs: 60_000 });
      gate.open();
      await closing;
      const next = new Recorder();
      queue.consume(probeJob, name, next.handle, one);
      await queue.add(probeJob, [probe('sentinel')]);
      await until('the sentinel ran', () => next.times('sentinel') === 1);

      expect(recorder.finished).toEqual(['a']);
      expect(next.started).toEqual(['sentinel']);
    });

    it('takes no more jobs', async () => {
      const [queue, other] = [await queues.open(), await queues.open()];
      const { name, probe } = newProbeQueue();
      const gate = new Gate();
      const recorder = new Recorder(() => gate.passed);
      const consumer = queue.consume(probeJob, name, recorder.handle, one);
      await queue.add(probeJob, [probe('a')]);
      await until('it runs', () => recorder.running === 1);

      const closing = consumer.close({ drainMs: 60_000 });
      await queue.add(probeJob, ['b', 'c'].map(probe));
      gate.open();
      await closing;
      const next = new Recorder();
      other.consume(probeJob, name, next.handle, one);
      await until('the others ran', () => next.finished.length === 2);

      expect(recorder.started).toEqual(['a']);
    });

    it('tells its handlers when their time is over, and hands over what they drop', async () => {
      const [queue, other] = [await queues.open(), await queues.open()];
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder((_id, context) => untilAborted(context));
      const consumer = queue.consume(probeJob, name, recorder.handle, one);
      await queue.add(probeJob, [probe('a')]);
      await until('it runs', () => recorder.running === 1);

      await consumer.close({ drainMs: 0 });
      const next = new Recorder();
      other.consume(probeJob, name, next.handle, one);
      await until('another ran it', () => next.finished.includes('a'));

      expect(recorder.running).toBe(0);
      expect(recorder.finished).toEqual([]);
    });

    it('does not wait for a handler that ignores its signal, whose job runs elsewhere', async () => {
      const [queue, other] = [await queues.open(), await queues.open()];
      const { name, probe } = newProbeQueue();
      const gate = new Gate();
      const recorder = new Recorder(() => gate.passed);
      const consumer = queue.consume(probeJob, name, recorder.handle, one);
      await queue.add(probeJob, [probe('a')]);
      await until('it runs', () => recorder.running === 1);

      await consumer.close({ drainMs: 0 });
      const next = new Recorder();
      other.consume(probeJob, name, next.handle, one);
      await until('another ran it', () => next.finished.includes('a'));
      gate.open();

      expect(queues.lines).toContainEqual(expect.objectContaining({ level: 'warn', running: 1 }));
    });

    it('may be closed by its signal, and twice', async () => {
      const queue = await queues.open();
      const { name } = newProbeQueue();
      const ending = new AbortController();
      const consumer = queue.consume(probeJob, name, async () => undefined, { ...one, signal: ending.signal });

      ending.abort();
      await Promise.all([consumer.close({ drainMs: 0 }), consumer.close({ drainMs: 0 })]);

      expect(queue.consumers()).toEqual([]);
    });

    it('is closed at once when its signal was aborted before', async () => {
      const queue = await queues.open();
      const { name } = newProbeQueue();

      queue.consume(probeJob, name, async () => undefined, { ...one, signal: AbortSignal.abort() });

      await until('it is gone', () => queue.consumers().length === 0);
    });
  });

  describe('a closing queue', () => {
    it('closes its consumers', async () => {
      const [queue, other] = [await queues.open(), await queues.open()];
      const { name, probe } = newProbeQueue();
      const recorder = new Recorder((_id, context) => untilAborted(context));
      queue.consume(probeJob, name, recorder.handle, one);
      await queue.add(probeJob, [probe('a')]);
      await until('it runs', () => recorder.running === 1);

      await queue.close();
      const next = new Recorder();
      other.consume(probeJob, name, next.handle, one);

      await until('another ran it', () => next.finished.includes('a'));
      expect(queue.consumers()).toEqual([]);
    });
  });
}
