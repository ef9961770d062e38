import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '@waybill/oci-model';
import { startTypeScript, type TypeScriptProcess } from '@waybill/testing';
import { type Image, Workload } from './crash-workload.spec-helper.js';

/** How many answers each process gives before it is killed with the next ones under way. */
const lives = [3, 25, 60, 110, 41];
const workers = 5;

const code = `
  import { startLocalRegistry } from '@waybill/local-registry';
  const { url } = await startLocalRegistry({ dataDir: process.env.DATA_DIR });
  console.log(JSON.stringify({ url }));
`;
let dataDir: string;
let running: TypeScriptProcess | undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'waybill-crash-'));
});
afterEach(async () => {
  await running?.kill();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(): Promise<string> {
  running = startTypeScript(code, { DATA_DIR: dataDir });
  return ((await running.nextLine()) as { url: string }).url;
}

/** Lets the workloads run until the registry has answered so often, and kills it. */
async function liveAndDie(url: string, answers: number, images: Image[]): Promise<void> {
  let left = answers;
  const victim = running;
  const works = Array.from({ length: workers }, (_, index) => {
    const name = `${images.length * workers + index}`;
    return new Workload(name, () => {
      left -= 1;
      if (left === 0) void victim?.kill('SIGKILL');
    });
  });
  await Promise.all(works.map((work) => work.run(url)));
  expect(await victim?.ended).toEqual({ signal: 'SIGKILL' });
  images.push(...works.flatMap((work) => work.images));
}

async function get(url: string, path: string): Promise<{ readonly status: number; readonly bytes: Buffer }> {
  const answer = await fetch(`${url}/v2/${path}`);
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
}

/** A manifest that the registry shows is whole, with everything beneath it. */
async function expectWhole(url: string, repository: string, reference: string): Promise<void> {
  const { status, bytes } = await get(url, `${repository}/manifests/${reference}`);
  expect([reference, status]).toEqual([reference, 200]);
  if (reference.startsWith('sha256:')) expect(digestOf(bytes)).toBe(reference);
  const { config, layers } = JSON.parse(bytes.toString('utf8')) as { config: { digest: string }; layers: { digest: string }[] };
  for (const { digest } of [config, ...layers]) {
    const blob = await get(url, `${repository}/blobs/${digest}`);
    expect([blob.status, digestOf(blob.bytes)]).toEqual([200, digest]);
  }
}

/** What was acknowledged is so. */
async function expectKept(url: string, { repository, tag, digest, manifest, tagged, subject }: Image): Promise<void> {
  if (manifest === 'there') await expectWhole(url, repository, digest);
  if (manifest === 'gone') expect((await get(url, `${repository}/manifests/${digest}`)).status).toBe(404);
  const byTag = await get(url, `${repository}/manifests/${tag}`);
  if (tagged === 'there') expect(digestOf(byTag.bytes)).toBe(digest);
  if (tagged === 'gone') expect(byTag.status).toBe(404);
  if (subject === undefined || manifest === 'unknown') return;
  expect((await referrersOf(url, repository, subject)).includes(digest)).toBe(manifest === 'there');
}

async function referrersOf(url: string, repository: string, subject: string): Promise<readonly string[]> {
  const { bytes } = await get(url, `${repository}/referrers/${subject}`);
  return (JSON.parse(bytes.toString('utf8')) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest);
}

/** Nothing that the registry shows is half there. */
async function expectConsistent(url: string, images: readonly Image[]): Promise<void> {
  const { repositories } = JSON.parse((await get(url, '_catalog')).bytes.toString('utf8')) as { repositories: string[] };
  for (const repository of repositories) {
    const { bytes } = await get(url, `${repository}/tags/list`);
    const { tags } = JSON.parse(bytes.toString('utf8')) as { tags: string[] };
    await Promise.all(tags.map((tag) => expectWhole(url, repository, tag)));
  }
  for (const { repository, subject } of images) {
    const listed = subject === undefined ? [] : await referrersOf(url, repository, subject);
    await Promise.all(listed.map((digest) => expectWhole(url, repository, digest)));
  }
}

describe('a registry that is killed at any instant', () => {
  it('has lost nothing that it acknowledged and shows nothing half done', async () => {
    const images: Image[] = [];

    let url = await start();
    for (const answers of lives) {
      const before = images.length;
      await liveAndDie(url, answers, images);
      url = await start();
      await Promise.all(images.slice(before).map((image) => expectKept(url, image)));
      for (const place of ['scratch', 'uploads', 'removals']) expect(await readdir(join(dataDir, place)).catch(() => [])).toEqual([]);
    }
    await Promise.all(images.map((image) => expectKept(url, image)));
    await expectConsistent(url, images);

    expect(images.filter(({ manifest }) => manifest === 'there').length).toBeGreaterThan(5);
    expect(images.filter(({ manifest }) => manifest === 'gone').length).toBeGreaterThan(3);
  }, 120_000);
});
