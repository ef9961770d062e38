import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  describeWith,
  type RunningRegistry,
  startDockerRegistry,
  startTcpProxy,
  startTypeScript,
  type TcpProxy,
  until,
} from '@waybill/testing';
import { image, Stage, stallLayer } from './controlled-stage.spec-helper.js';
import { type Gate, gate } from './infrastructure/gate.spec-helper.js';
import { oneTag, repository, requiredAt } from './recorded-promotions.spec-helper.js';
import { RegistryUnderTest } from './registry-under-test.spec-helper.js';

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

describe('a promotion that is cancelled in the midst of a blob', () => {
  let prod: RegistryUnderTest;

  beforeEach(async () => {
    prod = await RegistryUnderTest.start();
    await stage.open({ prod: prod.url });
    stallLayer(stage.ci);
  });
  afterEach(() => prod.stop());

  const requested = () => stage.recorded.request(image.manifest, [requiredAt('prod')]);
  const untilUploading = () => until('an upload is open', async () => (await prod.openUploads()).length > 0);

  it.each<[string, (id: string) => Promise<void>]>([
    ['by a notification', (id) => stage.cancel(id)],
    ['by a row alone, whose notification is lost', (id) => stage.cancelInSilence(id)],
  ])('stops %s, deletes the upload, and leaves nothing at the target', async (_how, cancel) => {
    await stage.work();
    const id = await requested();
    await untilUploading();

    await cancel(id);

    expect(await stage.untilOver(id)).toBe('cancelled');
    expect(await stage.outcomes(id)).toEqual({ prod: 'cancelled' });
    expect(await prod.openUploads()).toEqual([]);
    expect([await stage.openEffects(id), await stage.leases()]).toEqual([0, 0]);
    expect(await prod.repository(repository).resolveTag(oneTag)).toBeUndefined();
    expect(stage.log.troubles()).toEqual([]);
  });

  it('is ended by another worker when the one that ran it was killed', async () => {
    const doomed = startTypeScript(`await import('./apps/worker/src/main.ts');`, stage.environment);
    stage.ended.push(() => doomed.kill());
    const id = await requested();
    await untilUploading();

    await doomed.kill('SIGKILL');
    await stage.cancel(id);
    await stage.work();

    expect(await stage.untilOver(id)).toBe('cancelled');
    expect([await stage.openEffects(id), await stage.leases()]).toEqual([0, 0]);
  });
});

// Distribution 2.8 keeps the bytes of a session whose PUT broke until it purges it, whatever it is told: nothing refers to them.
describeWith('docker-registry', 'a promotion to Distribution that is cancelled in the midst of a blob', () => {
  let prod: RunningRegistry;

  beforeEach(async () => {
    prod = await startDockerRegistry();
    await stage.open({ prod: prod.url });
    stallLayer(stage.ci);
  });
  afterEach(() => prod.stop());

  const manifestOf = (reference: string) =>
    fetch(`${prod.url}/v2/${repository}/manifests/${reference}`, { headers: { accept: image.manifest.mediaType } });

  it('leaves nothing that can be pulled, and nothing in its way: taken up again it arrives', async () => {
    await stage.work();
    const id = await stage.recorded.request(image.manifest, [requiredAt('prod')]);
    const uploads = join(prod.dataDir, 'docker/registry/v2/repositories', repository, '_uploads');
    await until('an upload is open', async () => (await readdir(uploads).catch(() => [])).length > 0);
    await stage.cancel(id);
    expect(await stage.untilOver(id)).toBe('cancelled');
    expect((await manifestOf(image.manifest.digest)).status).toBe(404);

    stage.ci.fault = undefined;
    await stage.retry(id);

    expect(await stage.untilOver(id)).toBe('succeeded');
    expect((await manifestOf(oneTag)).status).toBe(200);
  });
});

describe('a promotion that is cancelled', () => {
  let prod: RegistryUnderTest;
  let toProd: TcpProxy;
  let other: RegistryUnderTest;
  let reached: Gate;

  beforeEach(async () => {
    prod = await RegistryUnderTest.start();
    toProd = await startTcpProxy(prod.port);
    other = await RegistryUnderTest.start();
    reached = gate();
    await stage.open({ prod: `http://127.0.0.1:${toProd.port}`, 'prod-us': other.url });
  });
  afterEach(async () => {
    await toProd.stop();
    await prod.stop();
    await other.stop();
  });

  /** Once, when the image's manifest is asked for by its digest: it is being verified. */
  function stallVerification(registry: RegistryUnderTest): void {
    let isStalled = false;
    registry.fault = ({ method, route }) => {
      const isSent = registry.requests.some((line) => line.startsWith('PUT') && line.includes('/manifests/sha256:'));
      if (method !== 'GET' || route.kind !== 'manifest' || !isSent || isStalled) return undefined;
      isStalled = true;
      reached.open();
      return { stall: true };
    };
  }

  it('between copy and tag writes no tag, and settles the manifest from what is there', async () => {
    stallVerification(prod);
    await stage.work();
    const id = await stage.recorded.request(image.manifest, [requiredAt('prod')]);
    await reached.passed;

    await stage.cancel(id);

    expect(await stage.untilOver(id)).toBe('cancelled');
    expect(await prod.repository(repository).resolveTag(oneTag)).toBeUndefined();
    const effects = await stage.recorded.database.tables.effect.findMany({ where: { promotionId: id } });
    expect(effects.map(({ kind, state, outcome }) => [kind, state, outcome])).toEqual([['manifest', 'settled', 'written']]);
  });

  it('after the first tag of two targets stops the rest, and is partial', async () => {
    stallVerification(other);
    await stage.work();
    const id = await stage.recorded.request(image.manifest, [requiredAt('prod'), requiredAt('prod-us')]);
    await reached.passed;
    await until('the first target is tagged', async () => (await stage.outcomes(id))['prod'] === 'copied');

    await stage.cancel(id);

    expect(await stage.untilOver(id)).toBe('partial');
    expect(await stage.outcomes(id)).toEqual({ prod: 'copied', 'prod-us': 'cancelled' });
    expect(await prod.repository(repository).resolveTag(oneTag)).toBe(image.manifest.digest);
    expect(await other.repository(repository).resolveTag(oneTag)).toBeUndefined();
  });

  it('while its tag is being written has arrived', async () => {
    prod.fault = ({ method, path }) => {
      if (method !== 'PUT' || !path.endsWith(`/manifests/${oneTag}`)) return undefined;
      // It is written, and nobody hears that it is.
      toProd.hang();
      reached.open();
      return undefined;
    };
    await stage.work();
    const id = await stage.recorded.request(image.manifest, [requiredAt('prod')]);
    await reached.passed;

    await stage.cancel(id);
    await toProd.flow();

    expect(await stage.untilOver(id)).toBe('succeeded');
    expect(await prod.repository(repository).resolveTag(oneTag)).toBe(image.manifest.digest);
  });

  it('before any worker came is not begun by one that comes', async () => {
    const id = await stage.recorded.request(image.manifest, [requiredAt('prod')]);
    await stage.cancel(id);
    await stage.work();
    const next = await stage.recorded.request(image.manifest, [requiredAt('prod-us')]);

    expect(await stage.untilOver(next)).toBe('succeeded');
    expect((await stage.recorded.promotion(id)).state).toBe('cancelled');
    expect(prod.requests).toEqual([]);
  });
});

describe('a promotion that meets a pause', () => {
  it('is copied, is not tagged until the pause ends, and then arrives without another attempt', async () => {
    const prod = await RegistryUnderTest.start();
    stage.ended.push(() => prod.stop());
    await stage.open({ prod: prod.url });
    const copying = gate();
    stage.ci.fault = ({ method, route }) => {
      if (method !== 'GET' || route.kind !== 'blob') return undefined;
      stage.toCi.hang();
      copying.open();
      return undefined;
    };
    await stage.work();
    const id = await stage.recorded.request(image.manifest, [requiredAt('prod')]);
    await copying.passed;
    stage.ci.fault = undefined;
    const pause = await stage.pause();
    await stage.toCi.flow();

    await until('the promotion waits', async () => (await stage.recorded.promotion(id)).state === 'waiting');
    expect(prod.requests.some((line) => line.startsWith('PUT') && line.includes('/manifests/sha256:'))).toBe(true);
    expect(await prod.repository(repository).resolveTag(oneTag)).toBeUndefined();
    expect(await stage.recorded.dispatchOf(id)).toMatchObject({ state: 'parked', isHeld: false });
    await stage.resume(pause);

    expect(await stage.untilOver(id)).toBe('succeeded');
    expect((await stage.recorded.promotion(id)).items[0]?.targets[0]).toMatchObject({ outcome: 'copied', attempts: 1 });
    expect(await prod.repository(repository).resolveTag(oneTag)).toBe(image.manifest.digest);
  });
});
