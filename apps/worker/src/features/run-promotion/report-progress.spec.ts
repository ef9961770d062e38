import { describe, expect, it } from '@jest/globals';
import { CopyProgress } from '@waybill/contracts/http';
import { type Descriptor, digestOf, mediaType } from '@waybill/oci-model';
import { ReportProgress } from './report-progress.js';

const promotionId = '01920000-0000-7000-8000-000000000001';
const [one, other] = ['01920000-0000-7000-8000-00000000000a', '01920000-0000-7000-8000-00000000000b'];

function blobOf(name: string, size = 1_000): Descriptor {
  return { mediaType: mediaType.ociLayer, digest: digestOf(Buffer.from(name)), size };
}

/** A reporter whose time a spec moves on. */
function reporter(sending: () => Promise<void> = () => Promise.resolve()) {
  const rounds: CopyProgress[][] = [];
  const sizes: number[] = [];
  const clock = { now: 1_000, planned: [] as { readonly at: number; readonly work: () => void }[] };
  const report = new ReportProgress({
    promotionId,
    location: 'eu',
    maxPayloadBytes: 7_999,
    send: async (payloads) => {
      sizes.push(...payloads.map((payload) => Buffer.byteLength(payload)));
      rounds.push(payloads.map((payload) => CopyProgress.parse(JSON.parse(payload))));
      await sending();
    },
    time: { now: () => clock.now, after: (ms, work) => void clock.planned.push({ at: clock.now + ms, work }) },
  });
  /** Lets time go by, and what is then due happen. */
  async function pass(ms: number): Promise<void> {
    clock.now += ms;
    for (const { work } of clock.planned.filter(({ at }) => at <= clock.now)) work();
    clock.planned = clock.planned.filter(({ at }) => at > clock.now);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { report, rounds, sizes, pass };
}

describe('ReportProgress', () => {
  it('tells each blob as it is, and the sums of its target', async () => {
    const { report, rounds, pass } = reporter();
    const [copying, copied, mounted, skipped] = [blobOf('copying'), blobOf('copied'), blobOf('mounted'), blobOf('skipped')];
    report.given(one, copying, 400);
    report.given(one, copied, 1_000);
    report.arrived(one, copied, 'copied');
    report.arrived(one, mounted, 'mounted');
    report.arrived(other, skipped, 'already-present');

    await pass(0);

    expect(rounds).toEqual([
      [
        {
          promotionId,
          location: 'eu',
          targets: [
            { target: one, bytesCopied: 1_400, bytesMounted: 1_000, bytesSkipped: 0 },
            { target: other, bytesCopied: 0, bytesMounted: 0, bytesSkipped: 1_000 },
          ],
          blobs: [
            { target: one, digest: copying.digest, size: 1_000, done: 400, state: 'copying' },
            { target: one, digest: copied.digest, size: 1_000, done: 1_000, state: 'copied' },
            { target: one, digest: mounted.digest, size: 1_000, done: 1_000, state: 'mounted' },
            { target: other, digest: skipped.digest, size: 1_000, done: 1_000, state: 'skipped' },
          ],
        },
      ],
    ]);
  });

  it('tells at most four times a second, then what is newest, and nothing when there is no news', async () => {
    const { report, rounds, pass } = reporter();
    for (let ms = 0; ms < 1_000; ms += 10) {
      report.given(one, blobOf('layer', 100_000), ms);
      await pass(10);
    }

    expect(rounds.length).toBeLessThanOrEqual(4);
    const before = rounds.length;
    await pass(250);
    await pass(250);
    await pass(250);
    expect(rounds.length).toBeLessThanOrEqual(before + 1);
    expect(rounds.at(-1)?.[0]?.blobs[0]?.done).toBe(990);
  });

  it('counts an upload that begins anew once', async () => {
    const { report, rounds, pass } = reporter();
    report.given(one, blobOf('layer'), 900);
    report.given(one, blobOf('layer'), 100);

    await pass(0);

    expect(rounds[0]?.[0]?.targets).toEqual([{ target: one, bytesCopied: 100, bytesMounted: 0, bytesSkipped: 0 }]);
  });

  it('sends pages that PostgreSQL takes, with everything that is under way', async () => {
    const { report, rounds, sizes, pass } = reporter();
    for (let n = 0; n < 200; n += 1) report.given(n % 2 === 0 ? one : other, blobOf(`layer ${n}`), n);

    await pass(0);

    expect(Math.max(...sizes)).toBeLessThan(8_000);
    expect(rounds[0]?.flatMap(({ blobs }) => blobs)).toHaveLength(200);
    expect(rounds[0]?.flatMap(({ targets }) => targets)).toHaveLength(2);
  });

  it('keeps no more than it can tell, and still has the sums', async () => {
    const { report, rounds, pass } = reporter();
    for (let n = 0; n < 5_000; n += 1) report.arrived(one, blobOf(`layer ${n}`), 'already-present');

    await pass(0);

    expect(rounds[0]?.flatMap(({ blobs }) => blobs)).toHaveLength(300);
    expect(rounds[0]?.[0]?.targets[0]?.bytesSkipped).toBe(5_000_000);
  });

  it('waits for no answer, leaves rounds out while there is none, and goes on after a failure', async () => {
    const answers: ((error?: Error) => void)[] = [];
    const { report, rounds, pass } = reporter(
      () => new Promise((resolve, reject) => answers.push((error) => (error === undefined ? resolve() : reject(error)))),
    );
    report.given(one, blobOf('layer'), 1);
    await pass(0);
    report.given(one, blobOf('layer'), 2);
    await pass(1_000);
    report.given(one, blobOf('layer'), 3);
    expect(rounds).toHaveLength(1);

    answers[0]?.(new Error('the database is away'));
    await pass(0);
    await pass(0);

    expect(rounds.map(([page]) => page?.blobs[0]?.done)).toEqual([1, 3]);
  });
});
