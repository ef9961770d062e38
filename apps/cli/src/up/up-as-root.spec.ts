import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { OciLayout } from '@waybill/oci-layout';
import { parseTag } from '@waybill/oci-model';
import { buildImage, describeWhere, pushBuilt } from '@waybill/testing';
import { build, endAll, repository, WaybillProcess } from './waybill-process.spec-helper.js';

const timeoutMs = 120_000;
const isRoot = process.getuid?.() === 0;

/** What of a checkout `up` needs. */
const needed = ['package.json', 'package-lock.json', 'topology.example.yaml', 'node_modules', 'apps', 'libs', 'prisma'] as const;

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${stderr}`);
  return stdout;
}

/** Hard links where the file system allows it: the checkout is read only, and large. */
async function copyCheckout(to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const sources = needed.map((name) => join(repository, name));
  const linked = spawnSync('cp', ['--archive', '--link', ...sources, to]);
  if (linked.status !== 0) run('cp', '--archive', ...sources, to);
}

describeWhere({ need: 'root', isMet: isRoot }, 'waybill up, where other users come in', () => {
  let dir: string;
  let checkout: string;
  let image: string;
  /** What the database had to keep elsewhere. */
  const outside: string[] = [];

  beforeAll(async () => {
    build();
    dir = await mkdtemp(join(tmpdir(), 'waybill-root-'));
    checkout = join(dir, 'checkout');
    await copyCheckout(checkout);
    const layout = await OciLayout.create(join(dir, 'app'));
    const built = buildImage();
    await pushBuilt(layout.store(), built);
    await layout.store().putTag(parseTag('1.0.0'), built.manifest);
    image = layout.dir;
  }, timeoutMs);
  afterAll(async () => {
    await endAll();
    for (const folder of [dir, ...outside]) await rm(folder, { recursive: true, force: true });
  }, timeoutMs);

  it(
    'works as root in a folder that only root can enter',
    async () => {
      await chmod(dir, 0o700);
      const up = new WaybillProcess({ root: checkout, args: ['--once', '--port', '0', '--image', image] });

      const status = await up.ended();

      expect({ status, stderr: up.stderr }).toEqual({ status: 0, stderr: '' });
      expect(up.stdout).toMatch(/^prod-us \(replica\) .* copied /m);
      const state = await readFile(join(checkout, '.waybill/postgres/state.json'), 'utf8');
      const { how, relocatedTo } = JSON.parse(state) as { readonly how: string; readonly relocatedTo?: string };
      if (relocatedTo !== undefined) outside.push(relocatedTo);
      expect(['user-namespace', 'relocated']).toContain(how);
    },
    timeoutMs,
  );

  it(
    'works as an ordinary user, with nothing installed but Node',
    async () => {
      await chmod(dir, 0o755);
      const data = join(dir, 'data-of-nobody');
      await mkdir(data);
      const uid = Number(run('id', '-u', 'nobody'));
      await chown(data, uid, uid);
      const up = new WaybillProcess({
        root: checkout,
        uid,
        path: await programs('sh', 'cat'),
        args: ['--once', '--port', '0', '--data', data, '--image', image],
      });

      const status = await up.ended();

      expect({ status, stderr: up.stderr }).toEqual({ status: 0, stderr: '' });
      expect(up.stdout).toMatch(/^ +prod +http:\S+ +\(local-registry built-in\)$/m);
      expect(up.stdout).toMatch(/^prod-us \(replica\) .* copied /m);
    },
    timeoutMs,
  );

  /** A search path with these programs alone. */
  async function programs(...names: string[]): Promise<string> {
    const bin = join(dir, 'bin');
    await mkdir(bin);
    for (const name of names) await symlink(run('/bin/sh', '-c', `command -v ${name}`).trim(), join(bin, name));
    expect(await readdir(bin)).toHaveLength(names.length);
    return bin;
  }
});
