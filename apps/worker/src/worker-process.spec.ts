import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  buildImage,
  createTestDatabase,
  pushBuilt,
  startTcpProxy,
  startTypeScript,
  type TcpProxy,
  type TestDatabase,
  type TypeScriptProcess,
} from '@waybill/testing';
import { gate } from './infrastructure/gate.spec-helper.js';
import type { LogLine } from './infrastructure/logged.spec-helper.js';
import { oneTag, RecordedPromotions, repository, topologyAt } from './recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from './registry-under-test.spec-helper.js';

const main = `await import('./apps/worker/src/main.ts');`;

describe("the worker's process", () => {
  const processes: TypeScriptProcess[] = [];

  afterEach(async () => {
    for (const child of processes.splice(0)) await child.kill();
  });

  function start(database: TestDatabase, { code = main, ...env }: Readonly<Record<string, string>> = {}): TypeScriptProcess {
    const urls = { DATABASE_URL: database.url, WAYBILL_QUEUE_DATABASE_URL: database.queueUrl };
    const child = startTypeScript(code, { ...urls, WAYBILL_WORKER_DRAIN_MS: '0', ...env });
    processes.push(child);
    return child;
  }

  async function untilItSays(child: TypeScriptProcess, message: string): Promise<LogLine> {
    for (;;) {
      const line = (await child.nextLine()) as LogLine;
      if (line.msg === message) return line;
    }
  }

  describe('on SIGTERM in the middle of a run', () => {
    let ci: RegistryUnderTest;
    let network: TcpProxy;
    let prod: RegistryUnderTest;
    let recorded: RecordedPromotions;
    const image = buildImage();

    beforeAll(async () => {
      ci = await RegistryUnderTest.start();
      network = await startTcpProxy(ci.port);
      prod = await RegistryUnderTest.start();
      await pushBuilt(ci.repository(repository), image);
      recorded = await RecordedPromotions.open(topologyAt({ ci: `http://127.0.0.1:${network.port}`, prod: prod.url }));
    });

    afterAll(async () => {
      await recorded.close();
      await network.stop();
      await ci.stop();
      await prod.stop();
    });

    it('ends with 0, and the run is due for another worker at once', async () => {
      const reached = gate();
      ci.fault = ({ method, route }) => {
        if (method !== 'GET' || route.kind !== 'blob') return undefined;
        network.hang();
        reached.open();
        return undefined;
      };
      const child = start(recorded.server);
      await untilItSays(child, 'worker is ready');
      const id = await recorded.request(image.manifest);
      await reached.passed;
      expect(await recorded.dispatchOf(id)).toMatchObject({ state: 'leased', isHeld: true });

      await child.kill('SIGTERM');

      expect(await child.ended).toEqual({ code: 0 });
      expect(await recorded.dispatchOf(id)).toMatchObject({ state: 'queued', isHeld: false });
      expect(await prod.repository(repository).resolveTag(oneTag)).toBeUndefined();
      expect((await recorded.promotion(id)).state).toBe('running');
    });
  });

  describe('on a database without tables', () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await createTestDatabase();
    });

    afterAll(() => database.drop());

    it('makes them, also when two start at once, and ends with 0', async () => {
      const both = [start(database), start(database)];

      const ready = await Promise.all(both.map((child) => untilItSays(child, 'worker is ready')));
      await Promise.all(both.map((child) => child.kill('SIGTERM')));

      expect(ready.map(({ level }) => level)).toEqual(['info', 'info']);
      expect(await Promise.all(both.map(({ ended }) => ended))).toEqual([{ code: 0 }, { code: 0 }]);
    });

    it('ends with 1 and a line of the log when a promise broke that nobody caught, and says no secret', async () => {
      const child = start(database, { code: `${main} void Promise.reject(new Error('no way to postgres://anna:hunter2@db/waybill'));` });

      const line = await untilItSays(child, 'the worker broke and ends');

      expect(line).toMatchObject({ level: 'fatal', err: { message: expect.stringContaining('no way to') } });
      expect(JSON.stringify(line)).not.toContain('hunter2');
      expect(await child.ended).toEqual({ code: 1 });
    });

    it('ends with 1 and names every variable that is wrong, without its value', async () => {
      const child = start(database, { WAYBILL_WORKER_CONCURRENCY: '0', REDIS_URL: 'http://anna:hunter2@queue' });

      const complaint = await child.nextLine().then(String, (error: unknown) => String(error));

      expect(await child.ended).toEqual({ code: 1 });
      expect(complaint).toMatch(/cannot start: [^]*REDIS_URL/);
      expect(complaint).toContain('WAYBILL_WORKER_CONCURRENCY');
      expect(complaint).not.toContain('hunter2');
    });
  });
});
