import { describe, expect, it } from '@jest/globals';
import { adviceOn } from './advice.js';

describe('adviceOn', () => {
  it.each([
    ['read', 'read'],
    ['pull', 'read'],
    ['write', 'write'],
    ['push', 'write'],
    ['manifestDelete', 'delete'],
  ] as const)('names the credentials that the probe %s used', (probe, used) => {
    expect(adviceOn(probe, 'unauthorized')).toMatch(new RegExp(`^check the ${used} credentials: that the topology names them`));
    expect(adviceOn(probe, 'denied')).toContain(`the account of the ${used} credentials`);
  });

  // A check runs in a worker, or with --file on the machine of whoever asks.
  it('takes no worker for granted', () => {
    expect(adviceOn('reachable', 'unreachable')).toContain('from where the check runs');
  });
});
