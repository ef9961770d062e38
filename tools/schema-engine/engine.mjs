import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import { migrationAdapter } from './database.mjs';

/**
 * Prisma's schema engine as WebAssembly, which comes from npm; the native one is downloaded from elsewhere.
 *
 * @param {import('./command-line.mjs').CommandLine} commandLine
 * @returns {Promise<import('./protocol.mjs').Call>}
 */
export async function openEngine({ datamodels, url }) {
  await load();
  const files = datamodels.map((file) => /** @type {[string, string]} */ ([file, readFileSync(file, 'utf8')]));
  const adapter = bindMigrationAwareSqlAdapterFactory(migrationAdapter(url));
  const engine = await bindings.SchemaEngine.new({ datamodels: files.length > 0 ? files : undefined }, () => undefined, adapter);
  return async (method, params) => {
    const act = /** @type {unknown} */ (Reflect.get(engine, method));
    if (typeof act !== 'function') throw new Error(`this schema engine does not know ${method}`);
    return act.call(engine, params).catch((/** @type {unknown} */ error) => {
      throw causeOf(error, adapter.errorRegistry);
    });
  };
}

/**
 * The engine knows an error of the adapter by its number only.
 *
 * @param {unknown} error
 * @param {import('@prisma/driver-adapter-utils').ErrorRegistry} registry
 */
function causeOf(error, registry) {
  const number = /External error id#(\d+)/.exec(String(error))?.[1];
  return number === undefined ? error : (registry.consumeError(Number(number))?.error ?? error);
}

/** As the package's own entry does, which needs a flag of Node for importing WebAssembly. */
async function load() {
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm');
  const binary = readFileSync(entry.replace(/schema_engine\.js$/, 'schema_engine_bg.wasm'));
  // Node has it; the types of Node do not.
  const { WebAssembly } = /** @type {any} */ (globalThis);
  const { instance } = await WebAssembly.instantiate(binary, { './schema_engine_bg.js': { ...bindings } });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  // Where the engine leaves its last words before it traps.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: (/** @type {string} */ message) => console.error(message) } });
}
