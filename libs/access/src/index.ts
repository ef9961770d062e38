export { type IssuedKey, issueApiKey, readApiKey, sameKeyHash } from './api-key.js';
export { type ActionScope, allows, everything, type Grant, type Verb, verbs } from './grants.js';
export type { Actor, Principal } from './principal.js';
