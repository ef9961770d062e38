import { BlockList, isIP } from 'node:net';

/** Ranges of version 4 where no registry keeps its content, but a machine keeps its secrets: cloud metadata, this host, everyone. */
const rangesOfNowhere: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
  ['100.100.100.200', 32], // Alibaba Cloud's metadata
  ['168.63.129.16', 32], // Azure's host
  ['192.0.0.192', 32], // Oracle Cloud's metadata
];

/** The same, and those of version 6. */
const nowhere = new BlockList();
for (const [network, bits] of rangesOfNowhere) {
  nowhere.addSubnet(network, bits, 'ipv4');
  nowhere.addSubnet(`64:ff9b::${network}`, 96 + bits, 'ipv6'); // what translates addresses leads there too (RFC 6052, section 2.1)
}
nowhere.addAddress('::', 'ipv6');
nowhere.addSubnet('fe80::', 10, 'ipv6');
nowhere.addSubnet('ff00::', 8, 'ipv6');
nowhere.addAddress('fd00:ec2::254', 'ipv6'); // Amazon's metadata
nowhere.addAddress('fd20:ce::254', 'ipv6'); // Google Cloud's metadata

/** Names of the same, for when a proxy does the resolving. */
const namesOfNowhere: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Is `host` a name or address of this machine itself? */
export function isLoopbackHost(host: string): boolean {
  const bare = withoutRoot(unbracketed(host));
  return bare === 'localhost' || bare.endsWith('.localhost') || within(loopback, bare);
}

/**
 * May a link of a registry lead to `address`? Only a registry on this machine may link to this machine;
 * private networks are allowed, since companies keep their object stores there.
 */
export function isAllowedAddress(address: string, fromLoopback: boolean): boolean {
  return !within(nowhere, address) && (fromLoopback || !within(loopback, address));
}

/** The same for a link's host, as far as it can be told before its name is resolved. */
export function isAllowedHost(host: string, fromLoopback: boolean): boolean {
  const bare = unbracketed(host);
  if (isIP(bare) !== 0) return isAllowedAddress(bare, fromLoopback);
  return !namesOfNowhere.has(withoutRoot(bare)) && (fromLoopback || !isLoopbackHost(bare));
}

function within(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** A URL's host as the network knows it: an address of version 6 without its brackets. */
export function unbracketed(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** `localhost.` is `localhost`. */
export function withoutRoot(name: string): string {
  return name.replace(/\.$/, '');
}
