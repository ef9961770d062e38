import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ActiveTopology, AppliedTopology } from '@waybill/contracts/http';
import { allBut, type ApiUnderTest, problemIn, startApi } from '../../api-under-test.spec-helper.js';
import { releaseTopology } from '../../registries-under-test.spec-helper.js';

const path = '/api/v1/topology';

describe('the topology', () => {
  let api: ApiUnderTest;

  beforeAll(async () => {
    api = await startApi();
    await apply(releaseTopology);
  });
  afterAll(() => api.stop());

  const apply = (source: string, file?: string) => api.send('PUT', path, { body: { source, ...(file === undefined ? {} : { file }) } });
  const active = async () => (await api.send('GET', path)).body as ActiveTopology;

  it('is shown as it was applied', async () => {
    expect(await active()).toMatchObject({
      revision: { number: 1, name: 'spec', hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
      registries: [
        { name: 'ci-snapshots', role: 'ci-snapshots', location: 'eu', local: true },
        { name: 'prod', role: 'prod', location: 'eu', local: true },
        { name: 'prod-us', role: 'replica', of: 'prod', location: 'us', local: true },
      ],
      paths: [{ name: 'release', from: 'ci-snapshots', to: ['prod'] }],
      replications: [{ from: 'prod', to: ['prod-us'] }],
      source: releaseTopology,
    });
  });

  it('stays the same revision when the same is said again, in other words too', async () => {
    const again = await apply(`# a comment\n${releaseTopology}`);

    expect(again.status).toBe(200);
    expect(again.body as AppliedTopology).toMatchObject({ changed: false, revision: { number: 1 } });
  });

  it('names registries and paths in the order of the file', async () => {
    const lines = releaseTopology.replace('name: spec', 'name: reversed').split('\n');
    const [first, last] = [
      lines.findIndex((line) => line.startsWith('  ci-snapshots:')),
      lines.findIndex((line) => line.startsWith('  prod-us:')),
    ];
    const reversed = [...lines.slice(0, first), ...lines.slice(first, last + 1).reverse(), ...lines.slice(last + 1)].join('\n');

    expect((await apply(reversed)).status).toBe(200);

    expect((await active()).registries.map(({ name }) => name)).toEqual(['prod-us', 'prod', 'ci-snapshots']);
    await apply(releaseTopology);
  });

  const broken: readonly (readonly [title: string, text: string, errors: readonly object[]])[] = [
    ['no YAML', 'a: [', [{ line: 1 }]],
    ['nothing', '\n', [{ detail: expect.stringContaining('f.yaml') }]],
    [
      'an unknown registry',
      releaseTopology.replace('to: [prod]\n', 'to: [prd]\n'),
      [{ line: 13, column: 10, pointer: '/paths/release/to/0', detail: expect.stringContaining('prod') }],
    ],
    [
      'several mistakes',
      releaseTopology.replace('role: prod,', 'role: prd,').replace('metadata:', 'metadatas:'),
      expect.arrayContaining([expect.objectContaining({ line: 4 }), expect.objectContaining({ line: 8 })]) as unknown as object[],
    ],
  ];

  it.each(broken)('is not replaced by %s', async (_title, text, errors) => {
    const before = await active();
    const refused = await apply(text, 'f.yaml');

    const problem = problemIn(refused);
    expect(problem).toMatchObject({ status: 422, code: 'topology-invalid', errors });
    for (const error of problem.errors ?? []) expect(error).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
    expect(await active()).toEqual(before);
  });

  it.each(['\\0', '\\x00', '\\ud800', '\\ufdd0'])('bears an escaped %s wherever a text may stand', async (escape) => {
    const before = await active();
    for (const changed of ['tags: "^v', 'repositories: ["', 'name: "spec']) {
      const text = releaseTopology.replace('name: spec', 'name: "spec"').replace(changed, `${changed}${escape}`);
      const { status } = await apply(text);

      expect([200, 422]).toContain(status);
    }
    await apply(before.source);
  });

  it('lists at most a hundred mistakes', async () => {
    const wrong = Array.from({ length: 150 }, (_, index) => `  r${index}: { role: nothing }`).join('\n');

    expect(problemIn(await apply(`registries:\n${wrong}\n`)).errors).toHaveLength(100);
  });

  it.each<[string, unknown, string]>([
    ['without a source', {}, '/source'],
    ['with an empty source', { source: '' }, '/source'],
    ['with more than a mebibyte', { source: 'x'.repeat(1024 * 1024 + 1) }, '/source'],
    ['with text that no database keeps', { source: 'a\0' }, '/source'],
    ['with an unknown field', { source: 'x', force: true }, '/force'],
  ])('is not applied %s', async (_title, body, pointer) => {
    expect(problemIn(await api.send('PUT', path, { body }))).toMatchObject({ status: 422, code: 'request-invalid', errors: [{ pointer }] });
  });

  it('needs a verb to be read, and another to be applied', async () => {
    const reader = await api.keyWith(allBut('topology:apply'));
    const applier = await api.keyWith(allBut('topology:read'));

    expect(problemIn(await api.send('PUT', path, { key: reader, body: { source: releaseTopology } }))).toMatchObject({ status: 403 });
    expect(problemIn(await api.send('GET', path, { key: applier }))).toMatchObject({ status: 403 });
    expect((await api.send('GET', path, { key: reader })).status).toBe(200);
    expect((await api.send('PUT', path, { key: applier, body: { source: releaseTopology } })).status).toBe(200);
  });

  describe('address of a registry', () => {
    const locate = (name: string, address: unknown) => api.send('PUT', `/api/v1/registries/${name}/address`, { body: { address } });
    const urlOf = async (name: string) => (await active()).registries.find((registry) => registry.name === name)?.url;

    it.each(['http://127.0.0.1:5000', 'http://localhost:5001', 'http://[::1]:5003', 'http://127.0.0.1'])(
      'is told and shown as %s',
      async (address) => {
        expect((await locate('prod', address)).status).toBe(204);
        expect(await urlOf('prod')).toBe(address);
      },
    );

    it.each([
      'https://127.0.0.1:1',
      'http://10.0.0.1',
      'http://127.0.0.1.example.com',
      'http://127.0.0.1:99999',
      'http://127.0.0.1:5000/v2/',
      'http://user:secret@127.0.0.1:5000',
      'http://127.0.0.1:5000@example.com',
      'http://127.0.0.1:5000\n',
      'http://169.254.169.254/',
      'ftp://localhost',
      'localhost:1',
      7,
    ])('is never %j', async (address) => {
      const before = await urlOf('prod');

      expect(problemIn(await locate('prod', address))).toMatchObject({
        status: 422,
        code: 'request-invalid',
        errors: expect.arrayContaining([expect.objectContaining({ pointer: '/address' })]),
      });
      expect(await urlOf('prod')).toBe(before);
    });

    it('is refused for a registry that is unknown, with near names', async () => {
      expect(problemIn(await locate('prodd', 'http://127.0.0.1:1'))).toMatchObject({
        status: 404,
        code: 'registry-unknown',
        near: ['prod'],
      });
    });

    it('is refused for a registry with a URL of its own', async () => {
      await apply(releaseTopology.replace('paths:', '  hub: { role: upstream, url: "https://registry-1.docker.io" }\npaths:'));

      expect(problemIn(await locate('hub', 'http://127.0.0.1:1'))).toMatchObject({ status: 409, code: 'registry-not-local' });
      expect(await urlOf('hub')).toBe('https://registry-1.docker.io');
    });

    it('needs the verb', async () => {
      const key = await api.keyWith(allBut('registries:locate'));
      const body = { address: 'http://127.0.0.1:1' };

      expect(problemIn(await api.send('PUT', '/api/v1/registries/prod/address', { key, body }))).toMatchObject({ status: 403 });
    });
  });
});
