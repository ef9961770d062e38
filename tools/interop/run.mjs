// Our client and engine against registries and clients that we did not write: `npm run test:interop`.
// With `--write` the table in docs/registries.md is brought up to date; everything else goes to Jest.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import prettier from 'prettier';
import { at, stateDir } from '../../scripts/bootstrap/paths.mjs';
import { createProgress } from '../../scripts/bootstrap/progress.mjs';
import { ensureServers } from '../../scripts/bootstrap/servers.mjs';
import { test } from '../../scripts/bootstrap/test.mjs';
import { driftOf, printTable, readTable, withSeen, withTable } from './capability-table.mjs';
import { belowFloor } from './floor.mjs';
import { buildGoPrograms } from './go-programs.mjs';

const page = at('docs/registries.md');
const resultsFile = path.join(stateDir, 'interop-results.json');
const capabilitiesFile = path.join(stateDir, 'interop-capabilities.jsonl');
const args = process.argv.slice(2);

const progress = createProgress();
await ensureServers(progress);
const programs = await buildGoPrograms(progress);
rmSync(capabilitiesFile, { force: true });
process.exitCode = await test(['--config', at('jest.interop.config.mjs'), ...args.filter((arg) => arg !== '--write')], {
  resultsFile,
  env: { WAYBILL_TEST_GO_PROGRAMS: JSON.stringify(programs), WAYBILL_TEST_CAPABILITIES_FILE: capabilitiesFile },
});
if (process.env.WAYBILL_TEST_REQUIRE_GO === '1') demandFloor();
if (existsSync(capabilitiesFile)) await keepTable(readSeen());

function demandFloor() {
  const problems = belowFloor(JSON.parse(readFileSync(resultsFile, 'utf8')));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}

/** @returns {import('./capability-table.mjs').Seen[]} */
function readSeen() {
  const lines = readFileSync(capabilitiesFile, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** Shows what the registries do, and holds it against the page. @param {import('./capability-table.mjs').Seen[]} seen */
async function keepTable(seen) {
  const text = readFileSync(page, 'utf8');
  const table = readTable(text);
  console.log(`\n${await formatted(printTable(withSeen(table, seen)))}`);
  if (args.includes('--write')) {
    writeFileSync(page, await formatted(withTable(text, withSeen(table, seen))));
    return;
  }
  const drift = driftOf(table, seen);
  for (const line of drift) console.error(line);
  if (drift.length === 0) return;
  console.error('If that is how it should be: npm run test:interop -- --write');
  process.exitCode = 1;
}

/** @param {string} text */
async function formatted(text) {
  return await prettier.format(text, { ...(await prettier.resolveConfig(page)), parser: 'markdown' });
}
