export type { Brand } from './brand.js';
export { type Clock, systemClock } from './clock.js';
export { type ErrorFacts, WaybillError } from './error.js';
export { type IdSource, uuidV7 } from './ids.js';
