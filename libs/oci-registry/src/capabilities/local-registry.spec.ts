import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalRegistry, startLocalRegistry } from '@waybill/local-registry';
import { capabilityNames } from '@waybill/oci-model';
import { clientOf, failuresOf, knownId, now, remainsOf } from './check.spec-helper.js';

describe('a check of the local registry', () => {
  let dataDir: string;
  let registry: LocalRegistry;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'waybill-check-'));
    registry = await startLocalRegistry({ dataDir });
  });
  afterAll(async () => {
    await registry.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('answers every question, and leaves nothing behind', async () => {
    const client = clientOf(registry.url);

    const report = await client.check(knownId(now));

    expect(failuresOf(report)).toEqual([]);
    expect(Object.keys(report.capabilities)).toEqual(capabilityNames);
    expect(Object.values(report.capabilities)).not.toContain('unknown');
    expect(report.capabilities).toMatchObject({
      referrersApi: true,
      mount: true,
      chunkedUpload: true,
      manifestDelete: true,
      tagPagination: true,
    });
    expect(await remainsOf(client, now)).toEqual([]);
  });
});
