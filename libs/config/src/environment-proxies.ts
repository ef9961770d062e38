import type { BasicSecret } from './basic-secret.js';
import { ConfigError } from './config-error.js';
import type { Environment } from './variable.js';

/** A proxy as the environment names it. */
export interface EnvironmentProxy {
  /** `http://host:port` or `https://…`, without credentials. */
  readonly url: string;
  readonly credentials?: BasicSecret;
}

export interface EnvironmentProxies {
  /** The way to `http://` addresses. */
  readonly http?: EnvironmentProxy;
  /** The way to `https://` addresses. */
  readonly https?: EnvironmentProxy;
  /** What is reached without one: the entries of `NO_PROXY`, and this machine. */
  readonly except: readonly string[];
}

const variables = { http: 'http_proxy', https: 'https_proxy', except: 'no_proxy' } as const;

/** Every variable that may name a proxy or an exception, in both spellings. */
export const proxyVariables: readonly string[] = Object.values(variables).flatMap((name) => [name, name.toUpperCase()]);

/** A proxy elsewhere would look for these on its own machine. */
const thisMachine = ['localhost', '127.0.0.0/8', '::1'];

/**
 * The proxies of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. Spelled in lower case they win, as curl has it;
 * an address without a scheme means http.
 *
 * @throws ConfigError `config-invalid` for a variable that names no proxy; its value is never quoted
 */
export function environmentProxies(env: Environment = process.env): EnvironmentProxies {
  const http = proxyOf(variables.http, env);
  const https = proxyOf(variables.https, env);
  const entries = valueOf(variables.except, env)?.value.split(/[\s,]+/) ?? [];
  return {
    ...(http === undefined ? {} : { http }),
    ...(https === undefined ? {} : { https }),
    except: [...thisMachine, ...entries.filter((entry) => entry !== '')],
  };
}

/** An empty variable is an unset one. */
function valueOf(name: string, env: Environment): { readonly name: string; readonly value: string } | undefined {
  for (const spelling of [name, name.toUpperCase()]) {
    const value = env[spelling];
    if (value !== undefined && value !== '') return { name: spelling, value };
  }
  return undefined;
}

function proxyOf(variable: string, env: Environment): EnvironmentProxy | undefined {
  const found = valueOf(variable, env);
  if (found === undefined) return undefined;
  const text = found.value.includes('://') ? found.value : `http://${found.value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.pathname !== '/') throw invalid(found.name);
  if (url.username === '' && url.password === '') return { url: url.origin };
  return { url: url.origin, credentials: { username: decoded(url.username, found.name), password: decoded(url.password, found.name) } };
}

function decoded(text: string, variable: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(variable);
  }
}

function invalid(variable: string): ConfigError {
  return new ConfigError(`${variable} is not a proxy's URL such as http://proxy.example.com:3128`, {
    code: 'config-invalid',
    operation: 'read the proxies of the environment',
  });
}
