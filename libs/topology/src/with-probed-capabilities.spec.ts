import { describe, expect, it } from '@jest/globals';
import { unknownCapabilities } from '@waybill/oci-model';
import type { Topology } from './model.js';
import { withProbedCapabilities } from './with-probed-capabilities.js';

const plain = { role: 'prod', location: 'eu', local: {}, insecure: false, immutableTags: { kind: 'all' } } as const;
const topology: Topology = {
  name: 'spec',
  locations: { eu: { egress: {} } },
  registries: { one: { ...plain, name: 'one', capabilities: { mount: false } }, two: { ...plain, name: 'two' } },
  paths: {},
  replications: [],
  retention: [],
};

describe('withProbedCapabilities', () => {
  it('lets the file win over the check, and knows nothing of the rest', () => {
    const probed = new Map([
      ['one', { mount: true, referrersApi: true }],
      ['gone', { mount: true }],
    ]);

    const { registries } = withProbedCapabilities(topology, probed);

    expect(registries).toEqual({
      one: { ...topology.registries.one, capabilities: { ...unknownCapabilities, mount: false, referrersApi: true } },
      two: { ...topology.registries.two, capabilities: unknownCapabilities },
    });
  });
});
