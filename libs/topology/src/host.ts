import { isIP } from 'node:net';

/** Is this a host name, without port and without a dot at its end (RFC 1123, section 2.1; underscores are seen in the wild)? */
export function isHostName(text: string): boolean {
  return (
    text.length <= 253 &&
    /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i.test(text) &&
    isIP(text) === 0
  );
}

/** An address of version 4 or 6, without port and brackets. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/**
 * One entry of what is reached without a proxy, as `NO_PROXY` has them: `*`, a host name with or without a leading
 * dot, an address, or a range of addresses; all but the first perhaps with a port.
 */
export function isProxyException(text: string): boolean {
  if (text === '*') return true;
  const [, bracketed, host = bracketed ?? text] = /^(?:\[([^\]]+)\](?::\d{1,5})?|([^:]+):\d{1,5})$/.exec(text) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  return isHostName(host.replace(/^\*?\./, '')) || isRange(host);
}

function isRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return isAddress(address) && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
}
