import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KeyList, Promotion } from '@waybill/contracts/http';
import { OciLayout } from '@waybill/oci-layout';
import { parseTag } from '@waybill/oci-model';
import { buildImage, pushBuilt } from '@waybill/testing';
import { demonstrationSubject } from './demonstration-key.js';
import { build, childrenOf, endAll, isGone, WaybillProcess } from './waybill-process.spec-helper.js';

const timeoutMs = 120_000;
const waits = 'Press Ctrl-C to stop.';

interface Shown {
  readonly api: string;
  readonly adminKeyFile: string;
  readonly promotion: Promotion;
  readonly provenance: readonly { readonly chain?: object }[];
}

/** One folder and one life of it: each test goes on where the one before ended. */
describe('waybill up, as a process', () => {
  let dir: string;
  let data: string;
  let adminKey: string;
  let source: string;

  beforeAll(async () => {
    build();
    dir = await mkdtemp(join(tmpdir(), 'waybill-up-'));
    data = join(dir, 'data');
  }, timeoutMs);
  afterAll(async () => {
    await endAll();
    await rm(dir, { recursive: true, force: true });
  }, timeoutMs);

  const up = (...args: string[]): WaybillProcess => new WaybillProcess({ args: ['--data', data, '--port', '0', ...args] });

  async function keys(api: string): Promise<KeyList['keys']> {
    const response = await fetch(`${api}/keys?limit=200`, { headers: { authorization: `Bearer ${adminKey}` } });
    const { keys: found } = (await response.json()) as KeyList;
    return found.filter(({ principal }) => principal.subject === demonstrationSubject(data));
  }

  const apiOf = (run: WaybillProcess): string => /^API +(http:\S+)$/m.exec(run.stdout)?.[1] ?? '';

  it(
    'promotes an image of Waybill itself to prod and both replicas, and ends',
    async () => {
      const run = up('--once', '--json');

      expect(await run.ended()).toBe(0);

      const { promotion, provenance, adminKeyFile } = JSON.parse(run.stdout) as Shown;
      expect(promotion).toMatchObject({ state: 'succeeded', settled: true, path: 'release' });
      expect(promotion.items[0]?.targets.map(({ registry, outcome }) => `${registry} ${outcome}`).sort()).toEqual([
        'prod copied',
        'prod-ap copied',
        'prod-us copied',
      ]);
      expect(promotion.items[0]?.source.tag).toMatch(new RegExp(`-${promotion.items[0]?.digest.slice(7, 19)}$`));
      expect(provenance.length).toBeGreaterThan(0);
      expect(provenance.every(({ chain }) => chain !== undefined)).toBe(true);
      source = `ci-snapshots/waybill:${promotion.items[0]?.source.tag}`;

      adminKey = (await readFile(adminKeyFile, 'utf8')).trim();
      expect((await stat(adminKeyFile)).mode & 0o777).toBe(0o600);
      // With --json, people read stderr.
      const words = ['Local registries are open', 'loopback only', 'Provenance of', '/api/docs', '/health/ready'];
      expect(words.filter((word) => !run.stderr.includes(word))).toEqual([]);
      expect(run.stderr.split(adminKey)).toHaveLength(2);
    },
    timeoutMs,
  );

  let killed: { readonly run: WaybillProcess; readonly children: readonly number[]; readonly keyId: string | undefined };

  it(
    'stays until it is stopped, with a key that can do no more than was shown, and refuses a second one',
    async () => {
      const startedAt = Date.now();
      const run = up('--image', source);
      await run.said(waits);

      const [first, second, ...more] = await keys(apiOf(run));
      expect(more).toEqual([]);
      expect(Date.parse(first?.revokedAt ?? '')).toBeLessThan(startedAt);
      expect(second?.revokedAt).toBeUndefined();
      expect(second?.grants).toEqual([
        { verbs: ['promotions:create', 'promotions:read', 'artifacts:read'], paths: ['release'], repositories: ['waybill'] },
      ]);
      expect(run.stdout).not.toContain(adminKey);
      expect(run.stdout).toContain('already-present');

      const other = up('--once');
      expect(await other.ended()).toBe(1);
      expect(other.stderr).toMatch(new RegExp(`process ${run.pid} already runs waybill .* at ${apiOf(run).replace('/api/v1', '')}`));

      killed = { run, children: await childrenOf(data), keyId: second?.id };
    },
    timeoutMs,
  );

  it(
    'starts again after it was killed, revokes what that left, and ends by Ctrl-C with nothing left',
    async () => {
      await killed.run.kill('SIGKILL');
      const run = up('--image', source);
      await run.said(waits);

      expect(run.stdout).toContain('taken over from a killed run');
      const left = (await keys(apiOf(run))).filter(({ revokedAt }) => revokedAt === undefined);
      expect(left.map(({ id }) => id)).not.toContain(killed.keyId);
      expect(left).toHaveLength(1);
      const children = await childrenOf(data);

      expect(await run.kill('SIGINT')).toBe(0);

      for (const pid of [...killed.children, ...children]) expect({ pid, isGone: await isGone(pid) }).toEqual({ pid, isGone: true });
    },
    timeoutMs,
  );

  it(
    'ends with 130 when Ctrl-C interrupts the demonstration, revokes its key, and goes on at the next start',
    async () => {
      const layout = await OciLayout.create(join(dir, 'large'));
      const image = buildImage({ layers: 3, layerBytes: 64 * 1024 * 1024 });
      await pushBuilt(layout.store(), image);
      await layout.store().putTag(parseTag('1.0.0'), image.manifest);
      const startedAt = Date.now();
      const interrupted = up('--once', '--image', layout.dir);
      await interrupted.said('prod/team-demo/large');
      expect(await interrupted.kill('SIGINT')).toBe(130);
      const endedAt = Date.now();
      expect(interrupted.stdout).toContain('goes on at the next start');

      const run = up('--image', 'ci-snapshots/team-demo/large:1.0.0');
      await run.said(waits);

      expect(run.stdout).toContain('succeeded');
      const made = (await keys(apiOf(run))).filter(({ createdAt }) => Date.parse(createdAt) > startedAt && Date.parse(createdAt) < endedAt);
      expect(made.map(({ revokedAt = '' }) => Date.parse(revokedAt) <= endedAt)).toEqual([true]);
      expect(await run.kill('SIGTERM')).toBe(0);
    },
    timeoutMs,
  );

  it(
    'ends with 1 and says which part died, having stopped the others',
    async () => {
      const run = up('--image', source);
      await run.said(waits);
      const worker = JSON.parse(await readFile(join(data, 'run/children/worker.json'), 'utf8')) as { readonly pid: number };
      const children = await childrenOf(data);

      process.kill(worker.pid, 'SIGKILL');

      expect(await run.ended()).toBe(1);
      expect(run.stderr).toContain('the worker ended by itself with SIGKILL');
      for (const pid of children) expect({ pid, isGone: await isGone(pid) }).toEqual({ pid, isGone: true });
    },
    timeoutMs,
  );
});
