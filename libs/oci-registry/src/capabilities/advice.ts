import type { ProbeFailureCode, ProbeName } from '@waybill/oci-model';
import { checkRepositories } from './check-content.js';

const repositories = checkRepositories.join(' and ');

const missingRepository = `create the repositories ${repositories} if this registry makes none by itself, and check the prefix`;
const notARegistry = 'check that the url is the origin of a registry, and what proxies in front of it change';

/** Which of the registry's credentials a probe used, for people. */
const account: Partial<Record<ProbeName, string>> = {
  reachable: 'read',
  read: 'read',
  pull: 'read',
  referrersApi: 'read',
  tagPagination: 'read',
  delete: 'delete',
  tagDelete: 'delete',
  manifestDelete: 'delete',
  blobDelete: 'delete',
  cleanUp: 'delete',
};

/** What to do about a probe that failed. */
export function adviceOn(probe: ProbeName, code: ProbeFailureCode): string {
  const credentials = `${account[probe] ?? 'write'} credentials`;
  switch (code) {
    case 'unreachable':
      return 'check the url, and that this host is reached from where the check runs: name resolution, firewall, proxy, TLS';
    case 'timeout':
      return 'the registry, or something on the way to it, is too slow: check again, then its load';
    case 'unavailable':
      return 'the registry has trouble of its own: look at its logs, and check again';
    case 'rate-limited':
      return 'wait, or give credentials with a higher quota';
    case 'unauthorized':
      return `check the ${credentials}: that the topology names them, that the secret is set and right, and that it has not expired`;
    case 'denied':
      return `grant the account of the ${credentials} its right in ${repositories}`;
    case 'not-found':
      return probe === 'reachable' || probe === 'read' ? notARegistry : missingRepository;
    case 'reference-invalid':
      return missingRepository;
    case 'unsupported':
      return 'the registry is read-only, or something in front of it lets no such request pass';
    case 'protocol':
      return notARegistry;
    case 'clock-skew':
      return 'set the clocks by NTP: tokens and signatures are refused otherwise';
    case 'incomplete-pages':
      return 'do not list tags through this registry, or its proxy, until it pages as the specification says';
    case 'left-behind':
      return `delete ${repositories} by hand, or let the next check try`;
    default:
      return 'see the message, and what the registry logs';
  }
}
