import { appendFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { capabilityNames, type RegistryReport } from '@waybill/oci-model';
import type { RegistryClient } from '@waybill/oci-registry';
import { describeWith } from '@waybill/testing';
import { clientOf, registryKinds, type StartedRegistry } from './registries.js';

for (const { name, needs, start, flaws = [] } of registryKinds) {
  describeWith(needs, `a check of ${name}`, () => {
    let registry: StartedRegistry;
    let client: RegistryClient;
    let report: RegistryReport;
    beforeAll(async () => {
      registry = await start();
      client = clientOf(registry);
      report = await client.check();
    });
    afterAll(async () => {
      client.close();
      await registry.stop();
    });

    it(flaws.length === 0 ? 'fails nowhere' : 'fails where it should', () => {
      expect(report.probes.filter(({ outcome }) => outcome !== 'ok')).toEqual(flaws.map((flaw) => expect.objectContaining(flaw)));
    });

    it('answers every other question', async () => {
      const unknown = capabilityNames.filter((capability) => report.capabilities[capability] === 'unknown');
      expect(unknown).toEqual(flaws.map(({ probe }) => probe));
      await noteSeen({ kind: name, version: registry.version, seenAt: report.checkedAt, capabilities: report.capabilities });
    });

    it('leaves nothing of itself behind', () => {
      expect(report.leftBehind).toBeUndefined();
    });
  });
}

/** For the table in docs/registries.md: one line of JSON for each registry that was seen. */
async function noteSeen(seen: object): Promise<void> {
  const file = process.env['WAYBILL_TEST_CAPABILITIES_FILE'];
  if (file !== undefined) await appendFile(file, `${JSON.stringify(seen)}\n`);
}
