import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { digestFromBytes, digestOf } from '@waybill/oci-model';
import { Database } from '@waybill/persistence';
import { describeWhere } from '@waybill/testing';
import { type ApiUnderTest, startApi } from '../../api-under-test.spec-helper.js';

const integrations = path.resolve(import.meta.dirname, '../../../../../integrations/in-use');
const isMet = ['sh', 'jq', 'curl', 'awk', 'sed'].every((program) => spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0);
const digestNamed = (name: string) => digestOf(Buffer.from(name));

/** The scripts against the real API; of Kubernetes and containerd only what their programs print is made up. */
describeWhere({ need: 'jq and curl', isMet }, 'scripts that report what is in use', () => {
  let api: ApiUnderTest;
  let key: string;
  let folder: string;
  let reporter: string;
  let count = 0;

  beforeAll(async () => {
    api = await startApi();
    key = await api.keyWith([{ verbs: ['in-use:report'], paths: ['*'], repositories: ['**'] }]);
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'waybill-in-use-'));
    reporter = `reporter-${++count}`;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A program of that name that prints what the cases of its arguments say, and fails in all others. */
  function program(name: string, cases: Readonly<Record<string, string>>): void {
    const branches = Object.entries(cases).map(([args, printed], at) => {
      const file = path.join(folder, `${name}-${at}`);
      writeFileSync(file, printed);
      return `  "${args}") cat "${file}" ;;`;
    });
    const file = path.join(folder, name);
    writeFileSync(file, `#!/bin/sh\ncase "$*" in\n${branches.join('\n')}\n  *) echo "refused: $*" >&2; exit 1 ;;\nesac\n`);
    chmodSync(file, 0o755);
  }

  async function report(script: string, environment: Readonly<Record<string, string>> = {}) {
    const keyFile = path.join(folder, 'key');
    writeFileSync(keyFile, key);
    const child = spawn('sh', [path.join(integrations, script)], {
      env: {
        ...{ PATH: `${folder}:/usr/local/bin:/usr/bin:/bin`, TMPDIR: folder },
        ...{ WAYBILL_API_URL: api.url, WAYBILL_API_KEY_FILE: keyFile, WAYBILL_REPORTER: reporter, ...environment },
      },
    });
    const [stdout, stderr, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('close', resolve)),
    ]);
    return { stdout, stderr, status };
  }

  async function reported(): Promise<string[]> {
    const rows = await api.app.get(Database).tables.inUseDigest.findMany({ where: { reporter }, select: { digest: true } });
    return rows.map(({ digest }) => digestFromBytes(digest)).sort();
  }

  const list = (items: readonly object[]) => JSON.stringify({ items });
  const pods = 'get pods --all-namespaces --output json';
  const owners = 'get replicasets,statefulsets,daemonsets,jobs,cronjobs --all-namespaces --output json';
  function pod(name: string, imageID: string, image = 'registry.example.com/app:1.0.0') {
    const status = { containerStatuses: [{ name: 'main', imageID, image }], initContainerStatuses: [{ name: 'init', imageID: '' }] };
    return { metadata: { namespace: 'default', name }, spec: { containers: [{ name: 'main', image }] }, status };
  }
  const kubernetes = 'kubernetes/report-in-use.sh';
  const running = `registry.example.com/app@${digestNamed('running')}`;

  it('tell what a cluster runs, and what its owners of pods name', async () => {
    const cronJob = { spec: { jobTemplate: { spec: { template: { spec: { containers: [{ image: `app@${digestNamed('later')}` }] } } } } } };
    program('kubectl', {
      [pods]: list([pod('one', running), pod('two', `docker-pullable://${running}`), pod('three', '', `app:1@${digestNamed('pulling')}`)]),
      [owners]: list([cronJob]),
    });

    const { status, stdout } = await report(kubernetes, { WAYBILL_EVERY: '10m', WAYBILL_REPOSITORIES: '["team-a/**"]' });

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ name: reporter, kind: 'kubernetes', digests: 3, everySeconds: 600 },
      covers: { registries: ['*'], repositories: ['team-a/**'] },
    });
    expect(await reported()).toEqual(['running', 'pulling', 'later'].map(digestNamed).sort());
  });

  it('tell of an empty cluster that nothing runs', async () => {
    program('kubectl', { [pods]: list([]), [owners]: list([]) });

    const { status, stdout } = await report(kubernetes);

    expect([status, (JSON.parse(stdout) as { digests: number }).digests]).toEqual([0, 0]);
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['pods cannot be listed', { [owners]: list([]) }, /cannot list pods/],
    ['owners of pods cannot be listed', { [pods]: list([]) }, /cannot list what owns pods/],
    ['a list breaks off', { [pods]: '{"items":[', [owners]: list([]) }, /cannot be read/],
    [
      'an image is of no registry',
      { [pods]: list([pod('one', `sha256:${'ab'.repeat(32)}`)]), [owners]: list([]) },
      /default\/one main: sha256:ab/,
    ],
  ])('report nothing where %s', async (_what, cases, complaint) => {
    program('kubectl', { [pods]: list([pod('one', running)]), [owners]: list([]) });
    await report(kubernetes);
    program('kubectl', cases);

    const { status, stderr } = await report(kubernetes);

    expect(status).toBe(1);
    expect(stderr).toMatch(complaint);
    expect(await reported()).toEqual([digestNamed('running')]);
  });

  it('leave out images of no registry where that is wanted', async () => {
    program('kubectl', { [pods]: list([pod('one', `sha256:${'ab'.repeat(32)}`), pod('two', running)]), [owners]: list([]) });

    expect(await report(kubernetes, { WAYBILL_IGNORE_LOCAL_IMAGES: '1' })).toMatchObject({ status: 0 });
    expect(await reported()).toEqual([digestNamed('running')]);
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['a key that is none', { WAYBILL_API_KEY_FILE: '', WAYBILL_API_KEY: 'wb_none' }, /did not take the report/],
    ['no key', { WAYBILL_API_KEY_FILE: '' }, /says a key/],
    ['no address', { WAYBILL_API_URL: '' }, /WAYBILL_API_URL is not set/],
    ['no name', { WAYBILL_REPORTER: '' }, /WAYBILL_REPORTER is not set/],
    ['patterns that are no JSON', { WAYBILL_REPOSITORIES: 'team-a' }, /JSON arrays/],
    ['an interval that is none', { WAYBILL_EVERY: 'often' }, /did not take the report/],
  ])('fail with %s', async (_what, environment, complaint) => {
    program('kubectl', { [pods]: list([]), [owners]: list([]) });

    const { status, stderr } = await report(kubernetes, environment);

    expect(status).toBe(1);
    expect(stderr).toMatch(complaint);
    expect(stderr).not.toContain(key);
  });

  const head = 'REF TYPE DIGEST SIZE PLATFORMS LABELS';
  const image = (name: string) =>
    `registry.example.com/${name}:1 application/vnd.oci.image.index.v1+json ${digestNamed(name)} 1.0 MiB linux/amd64 -`;

  it('tell what a containerd node has, in every namespace', async () => {
    program('ctr', {
      'namespaces ls -q': 'default\nk8s.io\n',
      '--namespace default images ls': `${head}\n`,
      '--namespace k8s.io images ls': `${head}\n${image('one')}\n${image('two')}\n${image('one')}\n`,
    });

    const { status, stdout } = await report('containerd/report-in-use.sh');

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'containerd', digests: 2 });
    expect(await reported()).toEqual(['one', 'two'].map(digestNamed).sort());
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['namespaces cannot be listed', {}],
    ['the images of one cannot', { 'namespaces ls -q': 'k8s.io\n' }],
    ['they are listed in another way', { 'namespaces ls -q': 'k8s.io\n', '--namespace k8s.io images ls': `REF DIGEST\n${image('one')}\n` }],
    ['a line has no digest', { 'namespaces ls -q': 'k8s.io\n', '--namespace k8s.io images ls': `${head}\nbroken line\n` }],
  ])('report nothing of a node where %s', async (_what, cases) => {
    program('ctr', cases);

    expect(await report('containerd/report-in-use.sh')).toMatchObject({ status: 1 });
    expect(await reported()).toEqual([]);
  });
});
