import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, mediaType } from '@waybill/oci-model';
import { type LocalRegistry, startLocalRegistry } from './local-registry.js';

const bytes = JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [] });
const digest = digestOf(Buffer.from(bytes));

describe('a removal that failed', () => {
  let dataDir: string;
  let registry: LocalRegistry;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'waybill-registry-'));
    registry = await startLocalRegistry({ dataDir });
  });

  afterEach(async () => {
    await registry.close();
    await rm(dataDir, { recursive: true });
  });

  async function statusOf(method: string, reference: string): Promise<number> {
    const body = method === 'PUT' ? { body: bytes, headers: { 'content-type': mediaType.ociIndex } } : {};
    return (await fetch(`${registry.url}/v2/app/manifests/${reference}`, { method, ...body })).status;
  }

  it('does not take away what is pushed after it', async () => {
    expect(await statusOf('PUT', 'v1')).toBe(201);
    const unreadable = join(dataDir, 'repositories', 'app', '_tags', 'zz=0'); // a folder in the place of a file
    await mkdir(unreadable);
    expect(await statusOf('DELETE', digest)).toBe(500);
    await rmdir(unreadable);
    expect(await statusOf('PUT', 'v1')).toBe(201);

    await registry.close();
    registry = await startLocalRegistry({ dataDir });

    expect(await statusOf('GET', 'v1')).toBe(200);
  });
});
