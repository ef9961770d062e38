import { describe, expect, it } from '@jest/globals';
import { Cancellations } from './cancellations.js';

/** Cancellations as the rows say: those of the names given. */
function rows(...cancelled: readonly string[]) {
  const asked: (readonly string[])[] = [];
  const cancellations = new Cancellations((ids) => {
    asked.push(ids);
    return Promise.resolve(new Set(ids.filter((id) => cancelled.includes(id))));
  });
  return { asked, cancellations };
}

describe('Cancellations', () => {
  it('tells every run of a cancelled promotion, and no other', async () => {
    const { cancellations } = rows('one');
    const [here, there, other] = [cancellations.watch('one'), cancellations.watch('one'), cancellations.watch('two')];

    await cancellations.look();

    expect(here.signal.reason).toMatchObject({ code: 'cancelled' });
    expect(there.signal.aborted).toBe(true);
    expect(other.signal.aborted).toBe(false);
  });

  it('asks for what runs, once for each promotion, and for nothing while nothing runs', async () => {
    const { asked, cancellations } = rows();
    await cancellations.look();
    const watch = cancellations.watch('one');
    cancellations.watch('one');
    cancellations.watch('two');
    await cancellations.look();
    watch.end();

    await cancellations.look();

    expect(asked).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
  });

  it('tells a run nothing that is over', async () => {
    const { cancellations } = rows('one');
    const watch = cancellations.watch('one');
    watch.end();

    await cancellations.look();

    expect(watch.signal.aborted).toBe(false);
  });

  it('rejects with what the rows reject with, and finds them the next time', async () => {
    let isDown = true;
    const cancellations = new Cancellations((ids) => (isDown ? Promise.reject(new Error('down')) : Promise.resolve(new Set(ids))));
    const watch = cancellations.watch('one');
    await expect(cancellations.look()).rejects.toThrow('down');
    isDown = false;

    await cancellations.look();

    expect(watch.signal.aborted).toBe(true);
  });
});
