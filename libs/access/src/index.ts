export { type IssuedKey, issueApiKey, readApiKey, sameKeyHash } from './api-key.js';
export { type ActionScope, allows, everything, type Grant, holds, holdsAll, type Verb, verbs } from './grants.js';
export { matchesPattern } from './pattern.js';
export type { Actor, Principal } from './principal.js';
