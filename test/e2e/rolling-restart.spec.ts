import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { buildImage, describeWith } from '@waybill/testing';
import { Stack } from '../../apps/cli/src/up/stack.js';
import { releaseTopology } from './release-topology.js';
import { startSystem, type ApiProcess, type System, type WorkerProcess } from './system.js';

jest.setTimeout(240_000);

const topology = releaseTopology('prod');
/** Nobody listens there; anything else that breaks a request would be a wrong answer to it. */
const isRefusal = (error: unknown): boolean => {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
};

const promotions = 20;
/** Long enough for a probe to see that the process is not ready, whatever the machine is doing. */
const noticeMs = '3000';

describeWith(['docker-registry'], 'a rolling restart of two APIs and two workers', () => {
  const started = new Stack();
  let system: System;
  let apis: ApiProcess[];
  let workers: WorkerProcess[];

  beforeAll(async () => {
    system = await startSystem({ topology });
    started.push(() => system.stop());
    apis = [await startApi(), await startApi()];
    workers = [await startWorker(), await startWorker()];
    for (let n = 0; n < promotions; n += 1) {
      await system.registry('ci-snapshots').push('team-a/app', `1.0.${n}`, buildImage({ seed: n % 5, layerBytes: 200_000 }));
    }
  });
  afterAll(() => started.unwind());

  const startApi = () => system.startApi({ WAYBILL_API_NOTICE_MS: noticeMs });
  const startWorker = () => system.startWorker({ WAYBILL_WORKER_DRAIN_MS: '2000' });
  const key = () => system.environment['WAYBILL_API_KEY'] ?? '';

  /** A client that goes on to the next address when nobody answers at one, and calls nothing else a reason to do so. */
  async function request(n: number): Promise<{ readonly status: number; readonly id: string }> {
    const idempotencyKey = randomUUID();
    for (let turn = n; ; turn += 1) {
      const url = apis[turn % apis.length]?.url ?? '';
      const response = await fetch(`${url}/api/v1/promotions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key()}`, 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: JSON.stringify({ path: 'release', items: [{ source: `ci-snapshots/team-a/app:1.0.${n}` }] }),
      }).catch((error: unknown) => {
        if (!isRefusal(error)) throw error;
      });
      if (response === undefined) continue;
      return { status: response.status, id: ((await response.json()) as { readonly id: string }).id };
    }
  }

  /** What a load balancer sees of a process that ends: ready, then not, while it answers still. */
  async function untilNotReady({ url }: ApiProcess): Promise<number> {
    for (;;) {
      const { status } = await fetch(`${url}/health/ready`);
      if (status !== 200) return status;
    }
  }

  async function restartApi(index: 0 | 1): Promise<void> {
    const old = apis[index];
    if (old === undefined) throw new Error('there are two');
    const stream = await fetch(`${old.url}/api/v1/events`, { headers: { authorization: `Bearer ${key()}` } });
    const read = stream.text();
    const [end, status] = await Promise.all([old.end(), untilNotReady(old)]);
    expect(status).toBe(503);
    expect(end).toBe('code 0');
    // Ended, and not broken off: that would reject.
    expect(await read).toContain('retry:');
    apis[index] = await startApi();
  }

  async function restartWorker(index: 0 | 1): Promise<void> {
    expect(await workers[index]?.end()).toBe('code 0');
    workers[index] = await startWorker();
  }

  it('loses no promotion and answers no request wrongly', async () => {
    const answers: Promise<{ readonly status: number; readonly id: string }>[] = [];
    let next = 0;
    /** Requests the given number of promotions, two at a time, while something else goes on. */
    const load = async (count: number, meanwhile: Promise<void>): Promise<void> => {
      const client = async (): Promise<void> => {
        while (next < until) {
          const answer = request(next);
          next += 1;
          answers.push(answer);
          await answer;
        }
      };
      const until = next + count;
      await Promise.all([client(), client(), meanwhile]);
    };

    await load(promotions / 4, restartApi(0));
    await load(promotions / 4, restartWorker(0));
    await load(promotions / 4, restartApi(1));
    await load(promotions / 4, restartWorker(1));

    const answered = await Promise.all(answers);
    expect(answered.map(({ status }) => status)).toEqual(Array.from({ length: promotions }, () => 202));
    const ids = answered.map(({ id }) => id);
    const ended = await Promise.all(ids.map((id) => system.settled(id)));
    expect(ended.map(({ state }) => state)).toEqual(ids.map(() => 'succeeded'));
    expect(new Set(ids).size).toBe(promotions);
    expect(await system.database.tables.promotion.count()).toBe(promotions);
    for (let n = 0; n < promotions; n += 1) {
      const [source, target] = await Promise.all(
        ['ci-snapshots', 'prod'].map((name) => system.registry(name).tagged('team-a/app', `1.0.${n}`)),
      );
      expect(target).toBe(source);
    }
    expect(await system.database.tables.dispatch.count({ where: { state: { not: 'finished' } } })).toBe(0);
    expect(await system.database.tables.effect.count({ where: { state: 'intended' } })).toBe(0);
  });
});
