import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Clock, systemClock, uuidV7 } from '@waybill/kernel';
import { parseRepositoryName, resultOf } from '@waybill/oci-model';
import { describeWith, type RunningRegistry, startDockerRegistry } from '@waybill/testing';
import { basicCredentials } from '../auth/static-credentials.js';
import { allOf, clientOf, failuresOf, knownId, now, one, outcomesOf, remainsOf, two } from './check.spec-helper.js';

describeWith('docker-registry', 'a check of Distribution', () => {
  const user = { username: 'anna', password: 'open sesame' };
  let registry: RunningRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(() => registry.stop());

  it('finds what Distribution 2.8 can, with every question answered', async () => {
    const report = await clientOf(registry.url).check();

    expect(failuresOf(report)).toEqual([]);
    expect(report).toMatchObject({
      scope: 'write',
      capabilities: {
        referrersApi: false,
        mount: true,
        anonymousMount: false,
        chunkedUpload: true,
        manifestDelete: true,
        blobDelete: true,
        tagDelete: false,
        tagPagination: false,
        immutableTags: false,
      },
    });
    expect(Math.abs(report.clockSkewMs ?? Infinity)).toBeLessThan(2_000);
    expect(Date.parse(report.checkedAt)).toBeLessThanOrEqual(Date.now());
  });

  it('leaves nothing behind, beneath the prefix and outside of it', async () => {
    const client = clientOf(registry.url, { prefix: parseRepositoryName('acme/images') });

    const report = await client.check(knownId(now));

    expect(resultOf(report, 'cleanUp')).toMatchObject({ outcome: 'ok' });
    expect(report.leftBehind).toBeUndefined();
    expect(await remainsOf(client, now)).toEqual([]);
    expect(await remainsOf(clientOf(registry.url), now)).toEqual([]);
  });

  it('removes what a check that was killed has left', async () => {
    const killed = '00931b2e-7d4a-7c1e-9f65-0d4c5a1b2c3d';
    const client = clientOf(registry.url);
    await registry.restart({ deleteEnabled: false });
    await client.check(knownId(killed));
    await registry.restart({ deleteEnabled: true });
    expect((await remainsOf(client, killed)).length).toBeGreaterThan(5);

    const report = await client.check();

    expect(resultOf(report, 'cleanUp')).toMatchObject({ outcome: 'ok', note: 'looked after 1 earlier check that had not' });
    expect(await remainsOf(client, killed)).toEqual([]);
  });

  it('leaves alone what another check has written, until that must be over', async () => {
    const other = uuidV7.next();
    const client = clientOf(registry.url);
    await registry.restart({ deleteEnabled: false });
    await client.check(knownId(other));
    await registry.restart({ deleteEnabled: true });
    const minutesLater = (minutes: number): Clock => ({ ...systemClock, now: () => new Date(Date.now() + minutes * 60_000) });

    await client.check({ clock: minutesLater(9) });
    expect((await remainsOf(client, other)).length).toBeGreaterThan(5);
    await client.check({ clock: minutesLater(11) });

    expect(await remainsOf(client, other)).toEqual([]);
  });

  describe('that deletes nothing', () => {
    beforeAll(() => registry.restart({ deleteEnabled: false }));
    afterAll(() => registry.restart({ deleteEnabled: true }));

    it('says what stays, and that it is little', async () => {
      const report = await clientOf(registry.url).check(knownId(now));

      expect(report.capabilities).toMatchObject({ manifestDelete: false, blobDelete: false, tagDelete: false });
      expect(failuresOf(report)).toEqual([]);
      expect(report.leftBehind).toMatchObject({ repositories: [one, two], manifests: 4, blobs: 5 });
      expect(report.leftBehind?.bytes).toBeLessThan(8_192);
      expect(resultOf(report, 'cleanUp')).toMatchObject({
        note: expect.stringContaining('stay in waybill-check/one and waybill-check/two'),
      });
    });

    it('finds out by itself that something stays, and does not grow', async () => {
      const client = clientOf(registry.url, { prefix: parseRepositoryName('acme') });
      const minutesLater = (minutes: number): Clock => ({ ...systemClock, now: () => new Date(Date.now() + minutes * 60_000) });
      const listed = async () => (await allOf(client.repository(one).listTags())).sort();
      await client.check();
      await client.check({ clock: minutesLater(11) });
      const before = await listed();

      await client.check({ clock: minutesLater(22) });

      expect(await listed()).toEqual(before);
    });

    it('does not grow once that is known', async () => {
      const client = clientOf(registry.url);
      const listed = async () => (await allOf(client.repository(one).listTags())).length;
      await client.check({ leavesBehind: true });
      const before = await listed();

      const again = await client.check({ leavesBehind: true });

      expect(failuresOf(again)).toEqual([]);
      expect(await listed()).toBe(before);
    });
  });

  it('that is read-only says so where it refuses, and asks no further', async () => {
    await registry.restart({ readOnly: true });

    const report = await clientOf(registry.url).check();

    expect(outcomesOf(report)).toMatchObject({ reachable: 'ok', read: 'ok', write: 'failed', push: 'skipped', delete: 'skipped' });
    expect(resultOf(report, 'write')).toMatchObject({ code: 'unsupported', advice: expect.stringContaining('read-only') });
    expect(resultOf(report, 'cleanUp')).toBeUndefined();
    await registry.restart({ readOnly: false });
  });

  it('asks nothing that writes when it must not, and says why', async () => {
    const seen: string[] = [];
    const client = clientOf(registry.url, { observe: ({ method }) => void seen.push(method) });

    const report = await client.check({ readOnlyBecause: 'an upstream is never written to' });

    expect(report).toMatchObject({ scope: 'read', readOnlyBecause: 'an upstream is never written to' });
    expect(outcomesOf(report)).toMatchObject({ reachable: 'ok', clock: 'ok', read: 'ok', push: 'skipped', manifestDelete: 'skipped' });
    expect(new Set(Object.values(report.capabilities))).toEqual(new Set(['unknown']));
    expect(new Set(seen)).toEqual(new Set(['GET']));
  });

  describe('with users', () => {
    beforeAll(() => registry.restart({ htpasswd: user }));
    const wrong = basicCredentials('anna', 'wrong secret');
    const right = basicCredentials(user.username, user.password);

    it('tells wrong credentials for reading from wrong ones for writing', async () => {
      const reading = await clientOf(registry.url, { credentials: { read: wrong, write: right } }).check();
      const writing = await clientOf(registry.url, { credentials: { read: right, write: wrong } }).check();

      expect(outcomesOf(reading)).toMatchObject({ reachable: 'ok', read: 'failed', write: 'ok', cleanUp: expect.any(String) });
      expect(resultOf(reading, 'read')).toMatchObject({ code: 'unauthorized', advice: expect.stringContaining('read credentials') });
      expect(outcomesOf(writing)).toMatchObject({ reachable: 'ok', read: 'ok', write: 'failed', push: 'skipped' });
      expect(resultOf(writing, 'write')).toMatchObject({ code: 'unauthorized', advice: expect.stringContaining('write credentials') });
      expect(JSON.stringify([reading, writing])).not.toMatch(/wrong secret|open sesame/);
    });

    it('names the delete credentials when those are wrong', async () => {
      const report = await clientOf(registry.url, { credentials: { read: right, write: right, delete: wrong } }).check();

      expect(outcomesOf(report)).toMatchObject({ push: 'ok', pull: 'ok', delete: 'failed', manifestDelete: 'skipped', cleanUp: 'failed' });
      expect(resultOf(report, 'delete')).toMatchObject({ code: 'unauthorized', advice: expect.stringContaining('delete credentials') });
      expect(resultOf(report, 'cleanUp')).toMatchObject({ code: 'left-behind' });
    });
  });
});
