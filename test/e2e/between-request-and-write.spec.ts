import { EventEmitter, once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Promotion } from '@waybill/contracts/http';
import { parseTag } from '@waybill/oci-model';
import { buildImage, describeWith } from '@waybill/testing';
import { Stack } from '../../apps/cli/src/up/stack.js';
import type { ProxiedRequest } from './fault-proxy.js';
import { recordOf } from './reading.js';
import { startSystem, type System, type WorkerProcess } from './system.js';

jest.setTimeout(120_000);

const topology = `
apiVersion: waybill/v1
kind: Topology
metadata: { name: e2e }
locations: { eu: {} }
registries:
  ci-tests: { role: ci-tests, location: eu, local: true }
  ci-snapshots: { role: ci-snapshots, location: eu, local: true }
  prod: { role: prod, location: eu, local: true }
paths:
  verify: { from: ci-tests, to: [ci-snapshots], repositories: ['**'], tags: '.*' }
  release: { from: ci-snapshots, to: [prod], repositories: ['**'], tags: '.*' }
`;

const latest = parseTag('latest');

/** Between the request and the copy the worker stands still, so that the world changes just then. */
describeWith('docker-registry', 'what happens between request and write', () => {
  const started = new Stack();
  let system: System;
  let worker: WorkerProcess;

  beforeAll(async () => {
    system = await startSystem({ topology });
    started.push(() => system.stop());
    worker = await system.startWorker();
  });

  afterAll(() => started.unwind());

  async function whileStanding(requests: () => Promise<string[]>): Promise<Promotion[]> {
    worker.pause();
    let ids: string[];
    try {
      ids = await requests();
    } finally {
      worker.resume();
    }
    return Promise.all(ids.map((id) => system.settled(id)));
  }

  it('promotes the digest that was pinned and records that the source tag moved', async () => {
    const [source, target] = [system.registry('ci-snapshots'), system.registry('prod')];
    const pinned = await source.push('team/moved', '1.0.0', buildImage({ seed: 201 }));

    let later = pinned;
    const [promotion] = await whileStanding(async () => {
      const id = await system.request({ path: 'release', items: [{ source: 'ci-snapshots/team/moved:1.0.0' }] });
      later = await source.push('team/moved', '1.0.0', buildImage({ seed: 202 }));
      return [id];
    });

    expect(promotion).toMatchObject({ state: 'succeeded', items: [{ digest: pinned, sourceMoved: { to: later } }] });
    expect(await target.tagged('team/moved', '1.0.0')).toBe(pinned);
    const moves = (await recordOf(system.api, pinned)).filter(({ body }) => body['decision'] === 'source-tag-moved');
    expect(moves).toMatchObject([{ body: { to: later } }]);
  });

  it('leaves a mutable tag at the release that was requested last', async () => {
    const [source, target] = [system.registry('ci-tests'), system.registry('ci-snapshots')];
    const earlier = await source.push('team/order', '1', buildImage({ seed: 203 }));
    const later = await source.push('team/order', '2', buildImage({ seed: 204 }));
    const asLatest = (tag: string) => system.request({ path: 'verify', items: [{ source: `ci-tests/team/order:${tag}`, tags: [latest] }] });

    const promotions = await whileStanding(async () => [await asLatest('1'), await asLatest('2')]);

    expect(['succeeded', 'superseded']).toContain(promotions[0]?.state);
    expect(promotions[1]?.state).toBe('succeeded');
    expect(await target.tagged('team/order', 'latest')).toBe(later);
    expect(await tagEvents('team/order')).toEqual(promotions[0]?.state === 'superseded' ? [later] : [earlier, later]);
  });

  it('never writes an earlier release after a later one, however long its copy takes', async () => {
    const [source, target] = [system.registry('ci-tests'), system.registry('ci-snapshots')];
    const slow = buildImage({ seed: 207 });
    await source.push('team/slow', '1', slow);
    const later = await source.push('team/slow', '2', buildImage({ seed: 208 }));
    const gate = new EventEmitter();
    const isSlowLayer = ({ method, url }: ProxiedRequest) => method === 'GET' && url.endsWith(String(slow.layers[0]?.digest));
    const held = source.proxy.once(isSlowLayer, { kind: 'hold', until: once(gate, 'open').then(() => undefined) });

    const earlierId = await system.request({ path: 'verify', items: [{ source: 'ci-tests/team/slow:1', tags: [latest] }] });
    await held;
    const second = await system.promote({ path: 'verify', items: [{ source: 'ci-tests/team/slow:2', tags: [latest] }] });
    gate.emit('open');

    expect(second.state).toBe('succeeded');
    expect(await system.settled(earlierId)).toMatchObject({ state: 'superseded', items: [{ targets: [{ outcome: 'superseded' }] }] });
    expect(await target.tagged('team/slow', 'latest')).toBe(later);
    expect(await tagEvents('team/slow')).toEqual([later]);
  });

  /** What a tag was made to name, in the order of the writes. */
  async function tagEvents(repository: string): Promise<string[]> {
    const rows = await system.database.tables.$queryRaw<{ digest: string }[]>`
      SELECT digest_text(digest) AS digest FROM tag_event WHERE repository = ${repository} ORDER BY id`;
    return rows.map(({ digest }) => digest);
  }

  describe('a foreign writer that moves the target tag', () => {
    it.each([
      { path: 'verify', from: 'ci-tests', to: 'ci-snapshots', kind: 'mutable', code: 'tag-moved' },
      { path: 'release', from: 'ci-snapshots', to: 'prod', kind: 'immutable', code: 'tag-immutable' },
    ])('ends in a conflict that names what the $kind tag holds', async ({ path, from, to, code }) => {
      const repository = `team/foreign-${to}`;
      await system.registry(from).push(repository, '1.0.0', buildImage({ seed: 205 }));

      let foreign = '';
      const [promotion] = await whileStanding(async () => {
        const id = await system.request({ path, items: [{ source: `${from}/${repository}:1.0.0` }] });
        foreign = await system.registry(to).push(repository, '1.0.0', buildImage({ seed: 206 }));
        return [id];
      });

      expect(promotion?.state).toBe('failed');
      expect(promotion?.items[0]?.targets).toMatchObject([
        {
          outcome: 'conflict',
          error: { code, message: expect.stringContaining(foreign) },
          tags: [{ outcome: 'conflict', found: foreign }],
        },
      ]);
      expect(await system.registry(to).tagged(repository, '1.0.0')).toBe(foreign);
    });
  });
});
