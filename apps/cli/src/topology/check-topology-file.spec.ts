import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalRegistry, startLocalRegistry } from '@waybill/local-registry';
import { type ScriptedServer, startScriptedServer, until } from '@waybill/testing';
import { Interruption } from '../interruption.js';
import { waybill } from '../scripted-api.spec-helper.js';

const secret = { WAYBILL_SECRET_PROD_WRITE: 'anna:open sesame' };

describe('waybill topology check --file', () => {
  let folder: string;
  let file: string;
  let prod: LocalRegistry;
  let silent: ScriptedServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-check-'));
    prod = await startLocalRegistry({ dataDir: join(folder, 'data') });
    silent = await startScriptedServer(() => undefined);
    file = join(folder, 'topology.yaml');
    await writeFile(file, topologyWith(prod.url));
    await writeFile(join(folder, 'broken.yaml'), 'kind: Topologie\n');
    await writeFile(join(folder, 'silent.yaml'), topologyWith(silent.origin));
  });
  afterAll(async () => {
    await prod.close();
    await silent.stop();
    await rm(folder, { recursive: true });
  });

  const topologyWith = (url: string): string => `apiVersion: waybill/v1
kind: Topology
metadata: { name: spec }
locations: { eu: {} }
registries:
  ci: { role: ci-snapshots, location: eu, local: true }
  prod: { role: prod, location: eu, url: "${url}", credentials: { write: { secret: prod-write } } }
paths:
  release: { from: ci, to: [prod], repositories: ["**"], tags: ".*" }
`;

  it('needs no server, and looks at all but what "waybill up" runs', async () => {
    const { status, stdout, stderr } = await waybill(['topology', 'check', '--file', file], { environment: secret });

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^prod +ok +ok +ok +yes +yes +/m);
    expect(stdout).toContain('every registry grants what the topology needs');
    expect(stdout).toMatch(/"waybill up" runs them: ci\n$/);
  });

  it('fails where a secret is missing, and names it', async () => {
    const { status, stdout } = await waybill(['topology', 'check', 'prod', '--file', file]);

    expect(status).toBe(1);
    expect(stdout).toContain('WAYBILL_SECRET_PROD_WRITE');
    expect(stdout).toMatch(/prod does not grant what the topology needs: write, push, pull\n$/);
  });

  it('says that it looked at none where "waybill up" runs all', async () => {
    const { status, stdout } = await waybill(['topology', 'check', 'ci', '--file', file]);

    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: 'no registry was looked at\nnot looked at, since "waybill up" runs them: ci\n',
    });
  });

  it('gives programs what was found', async () => {
    const { stdout } = await waybill(['topology', 'check', '--file', file, '--json'], { environment: secret });

    expect(JSON.parse(stdout)).toMatchObject({
      file,
      registries: [{ name: 'prod', report: { scope: 'write', capabilities: { mount: true } }, unmet: [] }],
      notChecked: ['ci'],
    });
    expect(stdout).not.toContain('open sesame');
  });

  it.each([
    ['a file that is none', ['--file', 'broken.yaml'], 'error:'],
    ['a file that is not there', ['--file', 'missing.yaml'], 'there is no file'],
    ['a registry that it does not name', ['prodd', '--file', 'topology.yaml'], 'prodd"\n  did you mean prod?'],
  ])('refuses %s', async (_what, args, says) => {
    const at = args.map((arg) => (arg.endsWith('.yaml') ? join(folder, arg) : arg));

    const { status, stderr } = await waybill(['topology', 'check', ...at]);

    expect(status).toBe(1);
    expect(stderr).toContain(says);
  });

  it('ends when it is interrupted', async () => {
    const stop = new AbortController();
    const running = waybill(['topology', 'check', '--file', join(folder, 'silent.yaml')], { environment: secret, stop: stop.signal });
    await until('the registry is asked', () => silent.requests.length > 0);

    stop.abort(new Interruption('SIGINT'));

    expect((await running).status).toBe(130);
  });
});
