import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Tag } from '@waybill/oci-model';
import { buildImage, pushBuilt, until } from '@waybill/testing';
import { gate } from '../../infrastructure/gate.spec-helper.js';
import { RegistryUnderTest } from '../../registry-under-test.spec-helper.js';
import { CrawlScene } from './crawl-scene.spec-helper.js';

const image = buildImage({ seed: 1 });
const names = Array.from({ length: 12 }, (_, number) => `team/app-${String(number).padStart(2, '0')}`);

describe('a crawl that is cut off', () => {
  let registry: RegistryUnderTest;
  let scene: CrawlScene;

  beforeEach(async () => {
    registry = await RegistryUnderTest.start();
    scene = await CrawlScene.open(registry.url);
    for (const name of names) {
      await pushBuilt(registry.repository(name), image);
      await registry.repository(name).putTag('1.0.0' as Tag, image.manifest);
    }
    registry.requests.length = 0;
  });
  afterEach(async () => {
    await scene.close();
    await registry.stop();
  });

  const lists = () => registry.requests.filter((request) => request.includes('/tags/list'));

  /** Stalls the lists of the repositories from the ninth on. */
  function stallLater(): void {
    registry.fault = ({ path }) => (names.slice(8).some((name) => path === `/v2/${name}/tags/list`) ? { stall: true } : undefined);
  }

  const looked = async (): Promise<number> => {
    const [row] = await scene.recorded.database.tables.$queryRaw<{ count: bigint }[]>`
      SELECT count(*) AS count FROM crawl_repository WHERE state = 'complete'`;
    return Number(row?.count);
  };

  it('goes on elsewhere with the repositories that are left when its worker stops', async () => {
    stallLater();
    const id = await scene.request('full');
    const stopped = scene.worker();
    await stopped.begin(() => undefined);
    await until('it has come so far', async () => (await looked()) === 8 && lists().length === 12);

    await stopped.close();
    registry.fault = undefined;
    registry.requests.length = 0;
    expect(await scene.worker({ workerId: 'two' }).begin(() => undefined)).toBe(1);
    const ended = await scene.ended(id);

    expect(ended).toMatchObject({ state: 'complete', found: { tagsAdded: 12 } });
    expect(lists()).toHaveLength(4);
    expect(registry.requests.filter((request) => request.includes('_catalog'))).toEqual([]);
    expect(await scene.recorded.database.tables.crawlRepository.count()).toBe(0);
  });

  it('goes on elsewhere when its worker falls silent, which then changes nothing any more', async () => {
    const held = gate();
    const id = await scene.request('full');
    const silent = scene.worker({
      open: async () => {
        await held.passed;
        throw new TypeError('it was too late anyway');
      },
    });
    await silent.begin(() => undefined);
    await scene.recorded.database.tables.$executeRaw`UPDATE crawl SET lease_expires_at = now() - interval '1 second'`;

    await scene.worker({ workerId: 'two' }).begin(() => undefined);
    expect(await scene.ended(id)).toMatchObject({ state: 'complete', found: { tagsAdded: 12 } });
    held.open();
    await silent.close();

    expect(await scene.ended(id)).toMatchObject({ state: 'complete' });
    expect(await scene.present(names[0] ?? '')).toEqual(['1.0.0']);
  });

  it('writes nothing under a lease that was lost', async () => {
    stallLater();
    const id = await scene.request('full');
    const slow = scene.worker();
    await slow.begin(() => undefined);
    await until('it has come so far', async () => (await looked()) === 8 && lists().length === 12);
    await scene.recorded.database.tables.$executeRaw`UPDATE crawl SET lease_expires_at = now() - interval '1 second'`;
    registry.fault = undefined;

    await scene.worker({ workerId: 'two' }).begin(() => undefined);
    const ended = await scene.ended(id);
    await slow.close();

    expect(ended).toMatchObject({ state: 'complete', found: { tagsAdded: 12 } });
    for (const name of names) expect(await scene.events(name, '1.0.0')).toHaveLength(1);
  });

  it('is given up when worker after worker died over it', async () => {
    const id = await scene.request('full');
    await scene.recorded.database.tables.$executeRaw`
      UPDATE crawl SET state = 'running', attempts = 5, lease_expires_at = now() - interval '1 second'`;

    expect(await scene.worker().begin(() => undefined)).toBe(0);

    expect(await scene.ended(id)).toMatchObject({ state: 'failed', problem: { code: 'attempts-exhausted' } });
  });
});
