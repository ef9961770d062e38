import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Where no registry keeps its content, but a machine keeps its secrets: cloud metadata, this host, everyone. */
const nowhere = new BlockList();
nowhere.addSubnet('0.0.0.0', 8, 'ipv4');
nowhere.addSubnet('169.254.0.0', 16, 'ipv4');
nowhere.addSubnet('224.0.0.0', 4, 'ipv4');
nowhere.addAddress('255.255.255.255', 'ipv4');
nowhere.addAddress('100.100.100.200', 'ipv4'); // Alibaba Cloud's metadata
nowhere.addAddress('::', 'ipv6');
nowhere.addSubnet('fe80::', 10, 'ipv6');
nowhere.addSubnet('ff00::', 8, 'ipv6');
nowhere.addAddress('fd00:ec2::254', 'ipv6'); // Amazon's metadata

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Is `host` a name or address of this machine itself? */
export function isLoopbackHost(host: string): boolean {
  const bare = unbracketed(host);
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
  return isIP(bare) !== 0 ? isAllowedAddress(bare, fromLoopback) : fromLoopback || !isLoopbackHost(bare);
}

/** A name lookup that refuses what `isAllowedAddress` does: a public name can resolve to anything. */
export function guardedLookup(fromLoopback: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      if (!addresses.every(({ address }) => isAllowedAddress(address, fromLoopback))) {
        callback(Object.assign(new Error('the name resolves to a forbidden address'), { code: 'ERR_FORBIDDEN_ADDRESS' }), '', 0);
        return;
      }
      const [first] = addresses;
      if (options.all === true || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function within(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

function unbracketed(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}
