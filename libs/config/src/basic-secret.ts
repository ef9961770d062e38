import { ConfigError } from './config-error.js';

/** A user name and a password for HTTP Basic authentication (RFC 7617). */
export interface BasicSecret {
  readonly username: string;
  readonly password: string;
}

/**
 * Parses `username:password`. The first colon divides: RFC 7617 section 2 allows none in the user name,
 * any number in the password.
 *
 * @throws ConfigError `secret-invalid`, which names the secret and never quotes it
 */
export function parseBasicSecret(name: string, value: string): BasicSecret {
  const colon = value.indexOf(':');
  if (colon < 1 || colon === value.length - 1) throw malformed(name, 'is not of the form username:password');
  // RFC 7617 section 2: neither part may hold a control character.
  if (/\p{Cc}/u.test(value)) throw malformed(name, 'holds a control character, perhaps a line break');
  return { username: value.slice(0, colon), password: value.slice(colon + 1) };
}

function malformed(name: string, problem: string): ConfigError {
  return new ConfigError(`the secret ${name} ${problem}`, { code: 'secret-invalid', operation: 'parse secret' });
}
