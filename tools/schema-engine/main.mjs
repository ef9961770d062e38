#!/usr/bin/env node
// Stands in for Prisma's native schema engine, so that `prisma migrate` and `prisma db` need nothing but npm:
// PRISMA_SCHEMA_ENGINE_BINARY names this file. It takes the same arguments and speaks the same protocol.
import { parseCommandLine } from './command-line.mjs';
import { assertReachable } from './database.mjs';
import { openEngine } from './engine.mjs';
import { serve } from './protocol.mjs';

const commandLine = parseCommandLine(process.argv.slice(2));
const [command, verb] = commandLine.command;

if (command === '--version') {
  console.log('schema-engine-cli (WebAssembly)');
} else if (command === 'cli') {
  await runOnce(verb);
} else {
  await serve(() => openEngine(commandLine));
  process.exit();
}

/** @param {string | undefined} name */
async function runOnce(name) {
  try {
    if (name !== 'can-connect-to-database') throw new Error(`this schema engine does not know ${name}; make the database with psql`);
    await assertReachable(commandLine.url);
  } catch (error) {
    const { code, message } = /** @type {{ code?: string, message: string }} */ (error);
    const facts = { is_panic: false, error_code: code === '3D000' ? 'P1003' : 'P1001', message };
    console.error(JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', timestamp: new Date().toISOString(), fields: facts }));
    process.exitCode = 1;
  }
}
