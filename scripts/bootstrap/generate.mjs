import { existsSync, readFileSync } from 'node:fs';
import { contentHash } from './fingerprint.mjs';
import { at, root } from './paths.mjs';
import { SetupProblem } from './problem.mjs';
import { lastLines, runLogged } from './run.mjs';
import { unlessStamped } from './stamp.mjs';

const SCHEMA = 'prisma/schema.prisma';
const OUTPUT = 'libs/persistence/src/generated';

/**
 * Generates the Prisma client when the schema or Prisma's version changed.
 *
 * @param {import('./progress.mjs').Progress} progress
 */
export async function ensureGenerated(progress) {
  if (!existsSync(at(SCHEMA))) return;
  await unlessStamped(at(OUTPUT, '.waybill-generate'), {
    expected: `${versionOf('prisma')} ${versionOf('@prisma/client')} ${contentHash(root, [SCHEMA, 'prisma.config.ts'])}`,
    isIntact: () => existsSync(at(OUTPUT, 'client.ts')),
    work: () => progress.step('generating the database client', generate),
  });
}

async function generate() {
  const finished = await runLogged([process.execPath, at('node_modules/prisma/build/index.js'), 'generate', '--no-hints'], {
    log: 'prisma-generate.log',
    env: {
      ...process.env,
      // `generate` never runs the engine, but downloads one unless this names an executable.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  });
  if (finished.status === 0) return;
  throw new SetupProblem(
    `${lastLines(finished.output)}\n\nThe database client could not be generated. All of the output: ${finished.logFile}`,
  );
}

/** @param {string} name */
function versionOf(name) {
  return JSON.parse(readFileSync(at('node_modules', name, 'package.json'), 'utf8')).version;
}
