/** Injection tokens of what has no class of its own. */
export const CONFIG = Symbol('api configuration');
export const LOGGER = Symbol('logger');
