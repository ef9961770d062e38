import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { Stack } from '../../apps/cli/src/up/stack.js';
import { startSystem, type System } from './system.js';

jest.setTimeout(120_000);

const working = `apiVersion: waybill/v1
kind: Topology
metadata: { name: e2e }
locations: { europe: {} }
registries:
  ci-snapshots: { role: ci-snapshots, location: europe, url: 'http://127.0.0.1:1' }
  docker-hub: { role: upstream, url: 'https://registry-1.docker.io' }
`;
const broken = working.replace('location: europe,', 'location: eurpe,');

describe('a broken topology file', () => {
  const started = new Stack();
  let folder: string;
  let file: string;
  let system: System;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waybill-e2e-'));
    started.push(() => rm(folder, { recursive: true, force: true }));
    file = join(folder, 'broken.yaml');
    await writeFile(file, broken);
    system = await startSystem({ topology: working });
    started.push(() => system.stop());
  });
  afterAll(() => started.unwind());

  it('starts nothing and is told with line, column and the nearest word', async () => {
    const data = join(folder, 'data');

    const { status, stderr } = await waybill(['up', '--once', '--topology', file, '--data', data]);

    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/broken\.yaml:6:49: error: .*"eurpe".*"europe"/) });
    await expect(access(data)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is not applied, and the working revision stays', async () => {
    const before = await system.api.topology();

    const { status, stderr } = await waybill(['topology', 'apply', file], system.environment);

    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/broken\.yaml:6:49.*nothing was changed/s) });
    expect(await system.api.topology()).toEqual(before);
  });
});

/** Runs the command as a user would. */
async function waybill(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | null; readonly stderr: string }> {
  const child = spawn(process.execPath, [join(root, 'apps/cli/bin/waybill.mjs'), ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { status: child.exitCode, stderr };
}
