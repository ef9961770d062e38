import { describe, expect, it } from '@jest/globals';
import { type Capability, capabilityNames, effectiveCapabilities, unknownCapabilities } from './capabilities.js';

describe('effectiveCapabilities', () => {
  it.each<[Capability | undefined, Capability | undefined, Capability]>([
    [undefined, undefined, 'unknown'],
    [undefined, 'unknown', 'unknown'],
    [undefined, true, true],
    [undefined, false, false],
    [true, undefined, true],
    [true, false, true],
    [false, true, false],
    [false, 'unknown', false],
    ['unknown', true, true],
  ])('of declared %s and probed %s is %s', (declared, probed, effective) => {
    const partial = (mount: Capability | undefined) => (mount === undefined ? undefined : { mount });

    expect(effectiveCapabilities(partial(declared), partial(probed)).mount).toBe(effective);
  });

  it('takes no name that is not in the list', () => {
    const foreign: object = { mount: true, teleport: true };

    expect(effectiveCapabilities(foreign, undefined)).toEqual({ ...unknownCapabilities, mount: true });
  });
});

describe('unknownCapabilities', () => {
  it('knows nothing of each of them', () => {
    expect(Object.keys(unknownCapabilities)).toEqual(capabilityNames);
    expect(new Set(Object.values(unknownCapabilities))).toEqual(new Set(['unknown']));
  });
});
