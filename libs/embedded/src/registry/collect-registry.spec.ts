import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { describeWith, findServer, startTypeScript } from '@waybill/testing';
import { isStillRunning } from '../process/process-identity.js';
import { waitFor } from '../process/wait.js';
import { deleteManifest, digestOf, pullImage, pushBlob, pushImage } from './pushed-image.spec-helper.js';
import type { CollectionPhase } from './served-registry.js';
import { type LocalRegistryOptions, type LocalRegistryProcess, startLocalRegistryProcess } from './start-local-registry-process.js';
import { storageBytes } from './storage-bytes.js';

const shared = 's'.repeat(5_000);
const kept = 'k'.repeat(700);
const condemned = 'c'.repeat(1_300);

let folder: string;
let running: LocalRegistryProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waybill-collect-'));
  running = [];
});
afterEach(async () => {
  for (const registry of running) await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<LocalRegistryOptions> = {}): Promise<LocalRegistryProcess> {
  const registry = await startLocalRegistryProcess({ name: 'prod', dataDir: join(folder, 'prod'), engine: 'docker-registry', ...options });
  running.push(registry);
  return registry;
}

const repositoryOf = ({ url }: LocalRegistryProcess): string => `${url}/v2/team/app`;
const stored = (): Promise<number> => storageBytes(join(folder, 'prod', 'docker-registry'), new AbortController().signal);

/** A docker-registry whose collections do not end, or fail. Its folder, to be found there. */
async function programWith(collecting: string): Promise<string> {
  const real = findServer('docker-registry')?.path ?? '';
  const script = `#!/bin/sh\nif [ "$1" = garbage-collect ]; then\n${collecting}\nfi\nexec ${real} "$@"\n`;
  await writeFile(join(folder, 'docker-registry'), script, { mode: 0o755 });
  return folder;
}

describeWith('docker-registry', 'a collection of a local registry', () => {
  it('gives back exactly what only the deleted image needed, at the same address', async () => {
    const restarted: number[] = [];
    const registry = await start({ onRestart: ({ pid }) => Promise.resolve(void restarted.push(pid)) });
    const repository = repositoryOf(registry);
    const before = await stored();
    await pushImage(repository, '1', [shared, kept]);
    const { digest, manifestBytes } = await pushImage(repository, '2', [shared, condemned]);
    await pushBlob(repository, 'nobody names this');
    expect(await deleteManifest(repository, digest)).toBe(202);
    const full = await stored();
    const unshared = condemned.length + manifestBytes + 'nobody names this'.length;
    const phases: CollectionPhase[] = [];

    const would = await registry.collect({ isDryRun: true });
    expect(await stored()).toBe(full);
    const collected = await registry.collect({ isDryRun: false, onPhase: (phase) => phases.push(phase) });

    expect(would).toMatchObject({ bytesBefore: full, bytesAfter: full - unshared, blobs: 3 });
    expect(collected).toMatchObject({ bytesBefore: full, bytesAfter: full - unshared, blobs: 3 });
    expect(collected.log).toContain('blob eligible for deletion');
    expect(await stored()).toBe(full - unshared);
    expect(before).toBeLessThan(full - unshared);
    expect(phases).toEqual(['read-only', 'collecting', 'restarting']);
    expect(restarted).toHaveLength(2);
    expect(await pullImage(repository, '1', [shared, kept])).toEqual([200, 200, 200]);
    expect(await pullImage(repository, '2', [condemned])).toEqual([404, 404]);
    await pushImage(repository, '2', [shared, condemned]);
    expect(await pullImage(repository, '2', [shared, condemned])).toEqual([200, 200, 200]);
  });

  it('of one that holds nothing gives nothing back', async () => {
    const registry = await start();

    expect(await registry.collect({ isDryRun: true })).toEqual({ bytesBefore: 0, bytesAfter: 0, blobs: 0, log: '' });
    expect(await registry.collect({ isDryRun: false })).toMatchObject({ blobs: 0 });
    expect(await pushBlob(repositoryOf(registry), kept)).toBe(201);
  });

  it('keeps writers out while it removes, lets readers in, and is the only one', async () => {
    const registry = await start({
      searchPath: await programWith(`touch ${folder}/begun; while [ ! -e ${folder}/go ]; do sleep 0.05; done`),
    });
    const repository = repositoryOf(registry);
    await pushImage(repository, '1', [shared, kept]);

    const collecting = registry.collect({ isDryRun: false });
    await waitFor(
      () =>
        readFile(join(folder, 'begun')).then(
          () => true,
          () => undefined,
        ),
      { timeoutMs: 20_000 },
    );

    await expect(registry.collect({ isDryRun: false })).rejects.toMatchObject({ code: 'collection-busy', retryable: true });
    expect(await pushBlob(repository, condemned)).toBe(405);
    expect(await deleteManifest(repository, '1')).toBe(405);
    expect(await pullImage(repository, '1', [shared, kept])).toEqual([200, 200, 200]);
    await writeFile(join(folder, 'go'), '');
    await collecting;
    expect(await pushBlob(repository, condemned)).toBe(201);
  });

  it('lets whoever is being answered read to the end', async () => {
    const registry = await start();
    const repository = repositoryOf(registry);
    const long = 'l'.repeat(32 * 1024 * 1024);
    await pushImage(repository, '1', [shared, long]);
    const answer = await fetch(`${repository}/blobs/${digestOf(long)}`);

    const [read] = await Promise.all([answer.text(), registry.collect({ isDryRun: false })]);

    expect(read.length).toBe(long.length);
  });

  it('that fails leaves all that is there, and says why', async () => {
    const registry = await start({ searchPath: await programWith('echo "failed to mark: no such thing" >&2; exit 1') });
    const repository = repositoryOf(registry);
    await pushImage(repository, '1', [shared, kept]);

    await expect(registry.collect({ isDryRun: false })).rejects.toMatchObject({
      code: 'collection-failed',
      message: expect.stringContaining('failed to mark: no such thing'),
    });

    expect(await pullImage(repository, '1', [shared, kept])).toEqual([200, 200, 200]);
    expect(await pushBlob(repository, condemned)).toBe(201);
  });

  it('is broken off, and the registry taken back into service, when it is cancelled', async () => {
    const registry = await start({ searchPath: await programWith('exec sleep 600') });
    await pushImage(repositoryOf(registry), '1', [shared, kept]);
    const cancel = new AbortController();
    const onPhase = (phase: CollectionPhase): void => {
      if (phase === 'collecting') cancel.abort();
    };

    await expect(registry.collect({ isDryRun: false, onPhase, signal: cancel.signal })).rejects.toMatchObject({ code: 'cancelled' });

    expect(await pushBlob(repositoryOf(registry), condemned)).toBe(201);
  });

  it('ends with its supervisor, and what removes is gone before the next one lets anybody write', async () => {
    const first = await start();
    await pushImage(repositoryOf(first), '1', [shared, kept]);
    await first.stop();
    const searchPath = await programWith('exec sleep 600');
    const options = JSON.stringify({ name: 'prod', dataDir: join(folder, 'prod'), engine: 'docker-registry', searchPath });
    const supervisor = startTypeScript(`
      import { startLocalRegistryProcess } from '@waybill/embedded';
      const registry = await startLocalRegistryProcess(${options});
      console.log(JSON.stringify({ url: registry.url }));
      await registry.collect({ isDryRun: false });
    `);
    const { url } = (await supervisor.nextLine()) as { url: string };
    const record = join(folder, 'prod', 'collector.json');
    const collector = await waitFor(
      () =>
        readFile(record, 'utf8').then(
          (text) => JSON.parse(text) as { pid: number; startToken: string },
          () => undefined,
        ),
      {
        timeoutMs: 20_000,
      },
    );
    if (collector === undefined) throw new Error('nothing was collected');

    await supervisor.kill('SIGKILL');
    const next = await start();

    expect(isStillRunning(collector)).toBe(false);
    expect(next.url).toBe(url);
    expect(await pushBlob(repositoryOf(next), condemned)).toBe(201);
    expect(await pullImage(repositoryOf(next), '1', [shared, kept])).toEqual([200, 200, 200]);
  });
});
