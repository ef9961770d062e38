import { z } from 'zod';
import { authorityProblem } from './authority.js';
import { parseDuration } from './duration.js';
import { isAddress, isHostName, isProxyException } from './host.js';
import { nearest } from './nearest.js';
import { Name, Secret, SecretRef, written } from './schema-words.js';
import { proxyUrlProblem, realmProblem } from './server-url.js';

/** How a registry is connected to: who we are there, TLS, proxies, addresses, time. */

const CredentialSource = z
  .strictObject({
    secret: Secret.optional(),
    dockerConfig: Name.optional().describe('Name of a secret that holds a Docker config.json; the entry of this registry counts'),
    helper: Name.optional().describe('Credential helper to ask: docker-credential-NAME'),
  })
  .meta({ description: 'Exactly one of the three', minProperties: 1, maxProperties: 1 });

export const Credentials = z.strictObject({
  read: CredentialSource.optional(),
  write: CredentialSource.optional(),
  delete: CredentialSource.optional(),
});

const TokenRealm = written(realmProblem, 'Address of a token server, or its origin');
export const TokenRealms = z
  .array(TokenRealm)
  .min(1)
  .max(10)
  .describe('Token servers that may be shown the credentials, beside the origin of the registry and the known one of its vendor');

const Authority = written((text) => {
  const problem = authorityProblem(text);
  return problem === undefined ? undefined : { code: 'value-invalid', problem };
}, 'Certificates in PEM form');

const HostName = written(
  (text) => (isHostName(text) ? undefined : { code: 'value-invalid', problem: 'is not a host name' }),
  'The name that the certificate of the registry must have',
);

export const Tls = z.strictObject({
  ca: z.union([Authority, SecretRef]).optional().describe('Authorities that alone are trusted for the registry; the usual ones without it'),
  cert: SecretRef.optional().describe('Our certificate, with those of its authorities'),
  key: SecretRef.optional().describe('Its key'),
  serverName: HostName.optional(),
});

const ProxyUrl = written(proxyUrlProblem, 'Where the proxy is: scheme, host and port');

/** A proxy's address alone is what most people write first. */
const ProxyWord = written((text) => {
  if (text === 'environment') return undefined;
  if (text.includes(':') || text.includes('@')) return proxyUrlProblem(text);
  const [suggestion] = nearest(text, ['environment'], 1);
  const problem = 'is neither environment nor a URL such as http://proxy.example.com:3128';
  return { code: 'value-invalid', problem, ...(suggestion === undefined ? {} : { suggestion }) };
}, 'environment, for HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or the URL of a proxy');

const ProxyException = written(
  (text) => (isProxyException(text) ? undefined : { code: 'value-invalid', problem: 'is no host, address or range such as 10.0.0.0/8' }),
  'Host, domain, address or range, perhaps with a port',
);

export const Proxy = z.union([
  ProxyWord,
  z.strictObject({
    url: ProxyUrl,
    secret: Secret.optional(),
    except: z.array(ProxyException).min(1).max(100).optional().describe('What is reached without the proxy, as in NO_PROXY'),
  }),
]);

const Address = written(
  (text) => (isAddress(text) ? undefined : { code: 'value-invalid', problem: 'is no IP address' }),
  'Address of version 4 or 6',
);

export const Resolve = z
  .record(z.string(), z.array(Address).min(1).max(16))
  .superRefine((addresses, context) => {
    for (const host of Object.keys(addresses)) {
      if (!isHostName(host)) context.addIssue({ code: 'custom', message: 'is not a host name', path: [host], params: { at: 'key' } });
    }
  })
  .describe('Addresses of hosts, in place of what a resolver says');

const shortest = 100;
const longest = 6 * 3_600_000;

const Timeout = (description: string): z.ZodString =>
  written((text) => {
    const ms = parseDuration(text);
    if (ms === undefined) return { code: 'value-invalid', problem: 'is no duration such as 500ms, 10s or 5m' };
    return ms >= shortest && ms <= longest ? undefined : { code: 'value-invalid', problem: 'must be at least 100ms and at most 6h' };
  }, description);

export const Timeouts = z.strictObject({
  connect: Timeout('Until a connection stands, TLS included').optional(),
  answer: Timeout('From the end of a request to the head of its answer').optional(),
  commit: Timeout('The same for the last request of an upload').optional(),
  idle: Timeout('Without a byte moved while it is the turn of the registry').optional(),
  small: Timeout('A whole exchange that carries no blob').optional(),
});

export const Limits = z.strictObject({
  connections: z.int().min(1).max(256).optional().describe('Most connections to one host at a time, per process and kind of access'),
});
