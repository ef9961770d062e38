export type { Access, CredentialProvider, CredentialProviders, ProvidedCredentials, RegistryCredentials } from './auth/credentials.js';
export { basicCredentials, staticCredentials } from './auth/static-credentials.js';
export type { Pins, Proxy, ProxyOptions, TlsOptions } from './network-options.js';
export { defaultTimeouts, type RegistryClientOptions, type RequestEvent, type RequestKind, type Timeouts } from './options.js';
export { RegistryClient } from './registry-client.js';
export { RegistryError, type RegistryErrorFacts, type ReportedError } from './registry-error.js';
export { RepositoryClient } from './repository-client.js';
