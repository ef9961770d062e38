import readline from 'node:readline';

/**
 * @typedef {(method: string, params: any) => Promise<any>} Call does one thing with the engine; its parameters are as Prisma sends them
 * @typedef {{ migrationsList: { migrationDirectories: readonly object[] }, filters: object }} WithMigrations
 */

/** Ids of the requests that go the other way; far from those that come in. */
let nextHostId = 1_000_000;

/**
 * Answers Prisma's requests (JSON-RPC 2.0, one per line) until standard input ends.
 *
 * @param {() => Promise<Call>} open the engine, on the first request
 */
export async function serve(open) {
  /** @type {Promise<Call> | undefined} */
  let engine;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line);
    // What comes without a method answers a `print` of ours.
    if (method === undefined) continue;
    try {
      engine ??= open();
      send({ id, result: (await answer(await engine, method, params)) ?? {} });
    } catch (error) {
      send({ id, error: describe(error) });
    }
  }
}

/** @param {Call} call @param {string} method @param {any} params */
async function answer(call, method, params) {
  if (method === 'getDatabaseVersion') return call('version', params ?? null);
  if (method === 'diff') return printDiff(await call('diff', params));
  if (method === 'evaluateDataLoss' || method === 'createMigration') await readHistory(call, params);
  return call(method, params);
}

/** The native engine prints the difference itself; this one hands it back. @param {{ stdout: string | null }} result */
function printDiff(result) {
  if (result.stdout) send({ id: nextHostId++, method: 'print', params: { content: result.stdout.replace(/\n$/, '') } });
  return result;
}

/**
 * As WebAssembly the engine tries the history of migrations in the shadow database only when it is asked to diagnose it.
 *
 * @param {Call} call @param {WithMigrations} params
 */
async function readHistory(call, { migrationsList, filters }) {
  if (migrationsList.migrationDirectories.length === 0) return;
  await call('diagnoseMigrationHistory', { migrationsList, optInToShadowDatabase: true, filters });
}

/** @param {unknown} error in the words that the command line understands */
function describe(error) {
  const { code, message = String(error), meta } = /** @type {{ code?: unknown, message?: string, meta?: object }} */ (error ?? {});
  return { code: 4466, message, data: { is_panic: false, message, meta, ...(typeof code === 'string' && { error_code: code }) } };
}

/** @param {object} message */
function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}
