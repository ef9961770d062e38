import { describe, expect, it, jest } from '@jest/globals';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CopyError, stalled } from './copy-error.js';
import { HoldUp } from './hold-up.js';
import { Sink, tee } from './tee.js';

const chunk = Buffer.alloc(100, 7);
const place = { side: 'target', target: 't', operation: 'push blob' } as const;
const patient = { stallTimeoutMs: 60_000, sourceStalled: () => stalled({ side: 'source', operation: 'read blob' }, 1) };
const impatient = { ...patient, stallTimeoutMs: 20 };

function sink(bufferBytes = 1000, onBytes: (bytes: number) => void = () => undefined, holdUpMs = 60_000): Sink {
  return new Sink(bufferBytes, { onBytes, holdUp: new HoldUp(holdUpMs), leftBehind: () => stalled(place, 1) });
}

function chunks(count: number): Readable {
  return Readable.from(
    Array.from({ length: count }, () => chunk),
    { objectMode: false },
  );
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('tee', () => {
  it('gives every sink all bytes and then its end', async () => {
    const sinks = [sink(), sink(), sink()];
    const received = sinks.map((each) => buffer(each));

    await tee(chunks(50), sinks, patient);

    for (const bytes of await Promise.all(received)) expect(bytes.byteLength).toBe(5000);
  });

  it('ends sinks of an empty source', async () => {
    const only = sink();
    const received = buffer(only);

    await tee(chunks(0), [only], patient);

    expect((await received).byteLength).toBe(0);
  });

  it('reads no faster than the slowest sink and keeps no more than its buffer', async () => {
    let given = 0;
    const source = new Readable({
      highWaterMark: 1,
      read() {
        given += 1;
        this.push(given > 100 ? null : chunk);
      },
    });
    const [fast, slow] = [sink(300), sink(300)];
    const received = buffer(fast);

    const done = tee(source, [fast, slow], patient);
    while (slow.readableLength < 300) await turn();
    const givenWhenFull = given;
    for (let turns = 0; turns < 10; turns += 1) await turn();

    expect(slow.readableLength).toBe(300);
    expect(given).toBe(givenWhenFull);
    expect(given).toBeLessThan(10);
    slow.resume();
    await done;
    expect((await received).byteLength).toBe(10_000);
  });

  it('goes on without a sink whose reader has gone', async () => {
    const [gone, good] = [sink(200), sink()];
    const received = buffer(good);
    gone.once('data', () => gone.destroy());

    await tee(chunks(50), [gone, good], patient);

    expect((await received).byteLength).toBe(5000);
    expect(gone.dropped).toBeUndefined();
  });

  it('drops a sink that keeps the others waiting for too long', async () => {
    const [stuck, good] = [sink(200, undefined, 20), sink()];
    const received = buffer(good);

    await tee(chunks(50), [stuck, good], patient);

    expect((await received).byteLength).toBe(5000);
    expect(stuck.dropped).toMatchObject({ code: 'stalled', side: 'target', retryable: true });
    expect(stuck.isLeftBehind).toBe(true);
    expect(good.isLeftBehind).toBe(false);
  });

  it('does not hurry a sink that keeps nobody waiting', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const alone = sink(200);
      const done = tee(chunks(50), [alone], impatient);
      while (alone.readableLength < 200) await turn();

      jest.advanceTimersByTime(3_600_000);
      expect(alone.dropped).toBeUndefined();
      alone.resume();
      await done;
    } finally {
      jest.useRealTimers();
    }
  });

  it('drops the sink whose byte counter fails, and no other', async () => {
    const failure = new CopyError('no', { code: 'hook-failed', side: 'target', operation: 'onBytes' });
    const failing = sink(1000, () => {
      throw failure;
    });
    const good = sink();
    const received = buffer(good);

    await tee(chunks(5), [failing, good], patient);

    expect(failing.dropped).toBe(failure);
    expect((await received).byteLength).toBe(500);
  });

  it('stops the source when no sink is left', async () => {
    const source = new PassThrough();
    const only = sink();

    const done = tee(source, [only], patient);
    source.write(chunk);
    only.once('data', () => only.destroy());
    await done;

    expect(source.destroyed).toBe(true);
  });

  it('never reads for sinks that are gone already', async () => {
    const source = chunks(5);
    const gone = sink();
    gone.dropOut(stalled(place, 1));

    await tee(source, [gone], patient);

    expect(source.destroyed).toBe(true);
  });

  it('passes the source’s error on and leaves the sinks to the caller', async () => {
    const source = new PassThrough();
    const only = sink();
    const done = tee(source, [only], patient);
    source.write(chunk);
    source.destroy(new Error('connection lost'));

    await expect(done).rejects.toThrow('connection lost');
    expect(only.destroyed).toBe(false);
  });

  it('gives a source up that sends nothing for too long', async () => {
    const source = new PassThrough();
    const only = sink();
    only.resume();

    await expect(tee(source, [only], impatient)).rejects.toMatchObject({ code: 'stalled', side: 'source' });
    expect(source.destroyed).toBe(true);
  });
});

describe('Sink', () => {
  it('keeps the first reason for which it was dropped', () => {
    const first = stalled(place, 1);
    const only = sink();

    only.dropOut(first);
    only.dropOut(stalled(place, 2));

    expect(only.dropped).toBe(first);
  });
});
