/** Injection tokens of what has no class of its own. */
export const CONFIG = Symbol('worker configuration');
export const LOGGER = Symbol('logger');
export const JOB_QUEUE = Symbol('job queue');
