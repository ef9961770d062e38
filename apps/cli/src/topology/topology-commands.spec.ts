import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { problem, promotionId, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const example = resolve(import.meta.dirname, '../../../../topology.example.yaml');
const apply = 'PUT /api/v1/topology';
const revision = { number: 7, name: 'example', hash: 'ab'.repeat(32), appliedBy: promotionId, appliedAt: '2026-05-01T10:00:00Z' };

let dir: string;
let broken: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-cli-'));
  broken = join(dir, 'broken.yaml');
  await writeFile(broken, 'apiVersion: waybill/v1\nkind: Topologie\n');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('waybill topology validate', () => {
  it('needs no server', async () => {
    const { status, stdout } = await waybill(['topology', 'validate', example]);

    expect(status).toBe(0);
    expect(stdout).toMatch(/is valid: 8 registries, 3 paths\n$/);
  });

  it('points at the place of a mistake, with the nearest word', async () => {
    const { status, stdout, stderr } = await waybill(['topology', 'validate', broken]);

    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(`${broken}:2:7: error:`);
    expect(stderr).toContain('Topology');
  });

  it('gives programs the facts, or the diagnostics', async () => {
    const valid = await waybill(['topology', 'validate', example, '--json']);
    const invalid = await waybill(['topology', 'validate', broken, '--json']);

    expect(JSON.parse(valid.stdout)).toMatchObject({ valid: true, name: 'example', registries: 8, paths: 3 });
    expect(invalid.status).toBe(1);
    expect(JSON.parse(invalid.stdout)).toMatchObject({
      valid: false,
      diagnostics: expect.arrayContaining([expect.objectContaining({ line: 2 })]),
    });
  });

  it.each([
    ['is not there', 'missing.yaml', 'there is no file'],
    ['is a folder', '.', 'is a folder: name a file'],
    ['is no text', 'image.tar', 'is no text in UTF-8'],
  ])('says that a file %s', async (_what, name, expected) => {
    await writeFile(join(dir, 'image.tar'), Buffer.from([0x1f, 0x8b, 0xff, 0x00]));
    const ran = await waybill(['topology', 'validate', join(dir, name), '--json']);

    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain(expected);
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code: 'file-unreadable' } });
  });
});

describe('waybill topology apply', () => {
  it.each([
    [true, 'revision 7 is active\n'],
    [false, 'revision 7 is active: it said the same already\n'],
  ])('sends the text of the file; changed: %s', async (changed, expected) => {
    const api = await scriptedApi({ [apply]: { body: { revision, changed } } });

    const { stdout } = await waybill(['topology', 'apply', example], { api: api.url });

    expect(api.asked[0]?.body).toMatchObject({ file: 'topology.example.yaml', source: expect.stringContaining('kind: Topology') });
    expect(stdout).toBe(expected);
  });

  it('names the local registries that do not run yet', async () => {
    const registry = { role: 'prod', location: 'eu' };
    const registries = [
      { ...registry, name: 'prod', local: true, url: 'http://127.0.0.1:5004' },
      { ...registry, name: 'prod-us', local: true },
      { ...registry, name: 'remote', local: false, url: 'https://registry.example.com' },
    ];
    const active = { revision, registries, paths: [], replications: [], source: 'kind: Topology' };
    const api = await scriptedApi({ [apply]: { body: { revision, changed: true } }, 'GET /api/v1/topology': { body: active } });

    expect(await waybill(['topology', 'apply', example], { api: api.url })).toEqual({
      status: 0,
      stdout: 'revision 7 is active\n',
      stderr:
        'warning: nobody has said where these local registries listen: prod-us\n  start waybill up with this file to run them; one that runs takes up those again that it has started\n',
    });
  });

  it('keeps a broken file to itself', async () => {
    const api = await scriptedApi({});

    const { status, stderr } = await waybill(['topology', 'apply', broken], { api: api.url });

    expect(status).toBe(1);
    expect(stderr).toMatch(/^waybill: .* is no topology that can be used\n\/.*:\d+:\d+: error: .*nothing was changed\n$/s);
    expect(api.asked).toEqual([]);
  });

  it('shows what the server found in it', async () => {
    const errors = [
      { pointer: '/registries/prod', detail: 'topology.yaml:9:3: error: the secret "prod-write" is not there', line: 9, column: 3 },
    ];
    const invalid = { status: 422, code: 'topology-invalid', title: 'The topology file is not valid', errors };
    const api = await scriptedApi({ [apply]: problem(invalid) });

    const { stderr } = await waybill(['topology', 'apply', example], { api: api.url });

    expect(stderr).toBe('waybill: The topology file is not valid\n  topology.yaml:9:3: error: the secret "prod-write" is not there\n');
  });
});

describe('waybill topology show', () => {
  const active = {
    revision,
    registries: [
      { name: 'prod', role: 'prod', location: 'eu', url: 'http://127.0.0.1:5004', local: true },
      { name: 'prod-us', role: 'replica', of: 'prod', location: 'us', local: true },
    ],
    paths: [{ name: 'release', from: 'ci-snapshots', to: ['prod'] }],
    replications: [{ from: 'prod', to: ['prod-us'] }],
    source: 'kind: Topology',
  };

  it('shows registries with their addresses, and ways', async () => {
    const api = await scriptedApi({ 'GET /api/v1/topology': { body: active } });

    const { stdout } = await waybill(['topology', 'show'], { api: api.url });

    expect(stdout).toMatch(/^example, revision 7/);
    expect(stdout).toMatch(/^prod +prod +eu +http:\/\/127\.0\.0\.1:5004$/m);
    expect(stdout).toMatch(/^prod-us +replica of prod +us +not running$/m);
    expect(stdout).toMatch(/^release +ci-snapshots +prod$/m);
    expect(stdout).toMatch(/^\(replication\) +prod +prod-us$/m);
  });

  it('gives programs all of it', async () => {
    const api = await scriptedApi({ 'GET /api/v1/topology': { body: active } });

    expect(JSON.parse((await waybill(['topology', 'show', '--json'], { api: api.url })).stdout)).toEqual(active);
  });
});
