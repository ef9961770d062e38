import { describe, expect, it } from '@jest/globals';
import { isAllowedHost, isLoopbackHost } from './addresses.js';

describe('addresses that a registry may link to', () => {
  it.each([
    ['storage.example.com', true, true],
    ['10.1.2.3', true, true],
    ['192.168.0.1', true, true],
    ['[2001:db8::1]', true, true],
    ['127.0.0.1', false, true],
    ['127.9.9.9', false, true],
    ['localhost', false, true],
    ['app.localhost', false, true],
    ['[::1]', false, true],
    ['[::ffff:127.0.0.1]', false, true],
    ['169.254.169.254', false, false],
    ['[::ffff:169.254.169.254]', false, false],
    ['[fe80::1]', false, false],
    ['[fd00:ec2::254]', false, false],
    ['[fd20:ce::254]', false, false],
    ['[64:ff9b::a9fe:a9fe]', false, false],
    ['[64:ff9b::6440:1]', true, true],
    ['100.100.100.200', false, false],
    ['168.63.129.16', false, false],
    ['192.0.0.192', false, false],
    ['metadata.google.internal', false, false],
    ['metadata.google.internal.', false, false],
    ['metadata', false, false],
    ['metadata.goog', false, false],
    ['instance-data.ec2.internal', false, false],
    ['metadata.example.com', true, true],
    ['localhost.', false, true],
    ['app.localhost.', false, true],
    ['0.0.0.0', false, false],
    ['[::]', false, false],
    ['224.0.0.1', false, false],
    ['255.255.255.255', false, false],
  ])('%s: from afar %s, from this machine %s', (host, fromAfar, fromHere) => {
    expect(isAllowedHost(host, false)).toBe(fromAfar);
    expect(isAllowedHost(host, true)).toBe(fromHere);
  });

  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['[::1]', true],
    ['registry.example.com', false],
    ['10.0.0.1', false],
  ])('%s is this machine: %s', (host, here) => {
    expect(isLoopbackHost(host)).toBe(here);
  });
});
