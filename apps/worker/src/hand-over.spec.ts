import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadWorkerConfig } from '@waybill/config';
import { buildImage, pushBuilt, type ScriptedServer, startScriptedServer, until } from '@waybill/testing';
import { type Logged, logged } from './infrastructure/logged.spec-helper.js';
import { oneTag, RecordedPromotions, repository, topologyAt } from './recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from './registry-under-test.spec-helper.js';
import { type RunningWorker, startWorker } from './start-worker.js';

const image = buildImage();

const unknown = JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN' }] });

/** An empty registry that opens upload sessions and says nothing more of them, neither when bytes come nor when they are given up. */
function silentAboutUploads(method: string, url: string, response: ServerResponse): void {
  if (method === 'GET' || method === 'HEAD') response.writeHead(404, { 'content-type': 'application/json' }).end(unknown);
  if (method === 'POST' && url.includes('/uploads/')) response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/one` }).end();
}

describe('a worker that is stopped in the midst of an upload', () => {
  let ci: RegistryUnderTest;
  let prod: ScriptedServer;
  let recorded: RecordedPromotions;
  let log: Logged;
  const workers: RunningWorker[] = [];

  beforeEach(async () => {
    ci = await RegistryUnderTest.start();
    await pushBuilt(ci.repository(repository), image);
    await ci.repository(repository).putTag(oneTag, image.manifest);
    prod = await startScriptedServer(({ method = '', url = '' }, response) => silentAboutUploads(method, url, response));
    recorded = await RecordedPromotions.open(topologyAt({ ci: ci.url, prod: prod.origin }));
    log = logged();
  });

  afterEach(async () => {
    for (const { app } of workers.splice(0)) await app.close();
    await recorded.close();
    await prod.stop();
    await ci.stop();
  });

  async function start(): Promise<RunningWorker> {
    const { url, queueUrl } = recorded.server;
    const config = loadWorkerConfig({
      WAYBILL_LOG_LEVEL: 'trace',
      WAYBILL_WORKER_DRAIN_MS: '0',
      DATABASE_URL: url,
      WAYBILL_QUEUE_DATABASE_URL: queueUrl,
    });
    const worker = await startWorker({ config, logger: log.logger });
    workers.push(worker);
    return worker;
  }

  const sent = (method: string) => prod.requests.filter((request) => request.method === method).length;

  it('hands the promotion over although the target does not answer that the upload was given up', async () => {
    const first = await start();
    const id = await recorded.request(image.manifest);
    await until('blobs are sent', () => sent('PUT') > 0);

    await first.app.close();
    const sentByFirst = sent('PUT');

    expect(sent('DELETE')).toBeGreaterThan(0);
    expect(log.saying('the run is handed over')).toMatchObject([{ promotionId: id, location: 'eu' }]);
    expect(log.troubles()).toEqual([]);
    expect(await recorded.dispatchOf(id)).toMatchObject({ state: 'queued', isHeld: false, isDue: true });
    await start();
    await until('another worker goes on', () => sent('PUT') > sentByFirst);
    expect((await recorded.promotion(id)).items[0]?.targets[0]).toMatchObject({ registry: { name: 'prod' }, attempts: 1 });
  });
});
