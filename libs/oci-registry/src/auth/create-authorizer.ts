import { systemClock } from '@waybill/kernel';
import type { RegistryClientOptions } from '../options.js';
import { Authorizer } from './authorizer.js';
import { Realms } from './realms.js';
import { TokenServer, type TokenServerPowers } from './token-server.js';
import { Tokens } from './tokens.js';

/** @throws RegistryError `reference-invalid` for a token realm that is no address */
export function createAuthorizer(
  origin: URL,
  { credentials = {}, tokenRealms = [] }: Pick<RegistryClientOptions, 'credentials' | 'tokenRealms'>,
  powers: Omit<TokenServerPowers, 'host' | 'clock'>,
): Authorizer {
  const { host } = origin;
  const clock = systemClock;
  const server = new TokenServer({ ...powers, host, clock });
  const realms = new Realms(origin, tokenRealms);
  return new Authorizer({ credentials, realms, tokens: new Tokens({ server, clock }), redactor: powers.redactor, clock });
}
