import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { problem, promotionId, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

const example = resolve(import.meta.dirname, '../../../../topology.example.yaml');
const revision = { number: 7, name: 'example', hash: 'ab'.repeat(32), appliedBy: promotionId, appliedAt: '2026-05-01T10:00:00Z' };
const active = (source: string) => ({
  'GET /api/v1/topology': { body: { revision, registries: [], paths: [], replications: [], source } },
});

let dir: string;
let text: string;
let changed: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'waybill-cli-'));
  text = await readFile(example, 'utf8');
  changed = join(dir, 'changed.yaml');
  await writeFile(changed, text.replace('duration: 14d', 'duration: 10d'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('waybill topology diff', () => {
  it('shows what a file would change of the active revision, and what that means', async () => {
    const api = await scriptedApi(active(text));

    const { status, stdout, stderr } = await waybill(['topology', 'diff', changed], { api: api.url });

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^~ +retention policy +ci-tests +rules +it is back in dry run until it is approved again$/m);
    expect(api.asked.map(({ route }) => route)).toEqual(['GET /api/v1/topology']);
  });

  it('says so when nothing would change', async () => {
    const api = await scriptedApi(active(text));

    expect(await waybill(['topology', 'diff', example], { api: api.url })).toEqual({
      status: 0,
      stdout: `${example} says the same as revision 7\n`,
      stderr: '',
    });
  });

  it('compares two files without any server, and gives programs the facts', async () => {
    const { stdout } = await waybill(['topology', 'diff', changed, '--from', example, '--json']);

    expect(JSON.parse(stdout)).toEqual({
      from: example,
      to: changed,
      changes: [
        {
          what: 'retention policy',
          name: 'ci-tests',
          change: 'changed',
          keys: ['rules'],
          meaning: 'it is back in dry run until it is approved again',
        },
      ],
    });
  });

  it.each([
    ['the active revision is not understood', active('kind: Other'), 'revision 7 says what this version of waybill does not understand'],
    [
      'there is none',
      { 'GET /api/v1/topology': problem({ status: 404, code: 'no-topology', title: 'No topology was applied yet' }) },
      'No topology was applied yet',
    ],
  ])('fails when %s', async (_what, routes, says) => {
    const api = await scriptedApi(routes);

    const { status, stdout, stderr } = await waybill(['topology', 'diff', example], { api: api.url });

    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(says);
  });
});
