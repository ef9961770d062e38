import type { DiagnosticCode } from './diagnostic.js';
import { parseRegistryUrl } from './registry-url.js';

interface UrlProblem {
  readonly code: DiagnosticCode & `url-${string}`;
  readonly problem: string;
}

/** What is wrong with the address of a proxy; it is never repeated, since it may hold a password. */
export function proxyUrlProblem(text: string): UrlProblem | undefined {
  const secretBeside = 'must not hold a user name or password; name a secret beside it instead';
  if (text.includes('@')) return { code: 'url-credentials', problem: secretBeside };
  const parsed = parseRegistryUrl(text);
  if (parsed.ok) return undefined;
  return { code: 'url-invalid', problem: 'is not a URL such as http://proxy.example.com:3128' };
}

/** What is wrong with the address of a token server: an origin, perhaps with a path. */
export function realmProblem(text: string): UrlProblem | undefined {
  if (text.includes('@')) return { code: 'url-credentials', problem: 'must not hold a user name or password' };
  const url = !/[\s\\]/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  const usable = url !== undefined && (url.protocol === 'https:' || url.protocol === 'http:') && !/[?#]/.test(text);
  return usable ? undefined : { code: 'url-invalid', problem: 'is not a URL such as https://auth.example.com, or one with a path' };
}
