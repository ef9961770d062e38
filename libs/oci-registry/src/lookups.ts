import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isAllowedAddress } from './addresses.js';
import type { Pins } from './network-options.js';

/** A name lookup that knows the pinned names by itself, and asks the resolver for all others. */
export function pinnedLookup(pins: Pins): LookupFunction {
  const known = new Map(Object.entries(pins).map(([name, addresses]) => [name.toLowerCase(), addresses]));
  return (hostname, options, callback) => {
    const pinned = known.get(hostname.toLowerCase());
    if (pinned === undefined) {
      lookup(hostname, options, callback);
      return;
    }
    const addresses = pinned.map((address) => ({ address, family: isIP(address) }));
    const fitting = addresses.filter(({ family }) => !isFamily(options.family) || family === options.family);
    process.nextTick(answer, fitting, { hostname, all: options.all === true }, callback);
  };
}

/**
 * A name lookup that refuses what `isAllowedAddress` does: a public name can resolve to anything.
 * One forbidden address among several is enough, since any of them could be the one that is connected to.
 */
export function guardedLookup(fromLoopback: boolean, resolve: LookupFunction = lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const addresses = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found;
      if (!addresses.every(({ address }) => isAllowedAddress(address, fromLoopback))) {
        callback(failure('the name resolves to a forbidden address', 'ERR_FORBIDDEN_ADDRESS'), '', 0);
        return;
      }
      answer(addresses, { hostname, all: options.all === true }, callback);
    });
  };
}

type LookupCallback = Parameters<LookupFunction>[2];
type Addresses = readonly { readonly address: string; readonly family: number }[];

function answer(addresses: Addresses, asked: { readonly hostname: string; readonly all: boolean }, callback: LookupCallback): void {
  const [first] = addresses;
  if (first === undefined) callback(failure(`${asked.hostname} has no such address`, 'ENOTFOUND'), '', 0);
  else if (asked.all) callback(null, [...addresses]);
  else callback(null, first.address, first.family);
}

function isFamily(family: unknown): family is 4 | 6 {
  return family === 4 || family === 6;
}

function failure(message: string, code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
