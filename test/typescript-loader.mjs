import { register } from 'node:module';

/**
 * `node --import …/typescript-loader.mjs` runs the sources as they are: a spec that kills a process of ours
 * needs a real one, and nothing is built for specs.
 */
register('./typescript-hooks.mjs', import.meta.url);
