import { afterEach, expect, it } from '@jest/globals';
import { access } from 'node:fs/promises';
import { type RunningRegistry, startDockerRegistry } from './docker-registry.js';
import { describeWith } from './needs.js';

describeWith('docker-registry', 'a started docker-registry', () => {
  const running: RunningRegistry[] = [];
  afterEach(async () => {
    for (const registry of running.splice(0)) await registry.stop();
  });

  async function start(options?: Parameters<typeof startDockerRegistry>[0]): Promise<RunningRegistry> {
    const registry = await startDockerRegistry(options);
    running.push(registry);
    return registry;
  }

  it('answers, and several live side by side', async () => {
    const registries = await Promise.all([start(), start()]);

    for (const { url, version } of registries) {
      expect((await fetch(`${url}/v2/`)).status).toBe(200);
      expect(version).toMatch(/^\d+\.\d+\.\d+/);
    }
    expect(registries[0].port).not.toBe(registries[1].port);
  });

  it('asks for the user it was given', async () => {
    const registry = await start({ htpasswd: { username: 'anna', password: 'open sesame' } });
    const authorization = `Basic ${Buffer.from('anna:open sesame').toString('base64')}`;

    expect((await fetch(`${registry.url}/v2/`)).status).toBe(401);
    expect((await fetch(`${registry.url}/v2/`, { headers: { authorization } })).status).toBe(200);
  });

  it('restarts on the same port with changed options', async () => {
    const registry = await start();
    const { port, pid } = registry;
    const open = () => fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: 'POST' });
    expect((await open()).status).toBe(202);

    await registry.restart({ readOnly: true });

    expect(registry.port).toBe(port);
    expect(registry.pid).not.toBe(pid);
    expect((await open()).status).toBe(405);
  });

  it('leaves neither server nor data behind when stopped', async () => {
    const registry = await startDockerRegistry();
    const { pid, dataDir } = registry;
    await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: 'POST' });
    await access(dataDir);

    await registry.stop();

    await expect(access(dataDir)).rejects.toThrow('ENOENT');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
