// Our client and engine against registries and clients that we did not write: `npm run test:interop`.
import path from 'node:path';
import { at, stateDir } from '../../scripts/bootstrap/paths.mjs';
import { createProgress } from '../../scripts/bootstrap/progress.mjs';
import { ensureServers } from '../../scripts/bootstrap/servers.mjs';
import { test } from '../../scripts/bootstrap/test.mjs';
import { buildGoPrograms } from './go-programs.mjs';

const progress = createProgress();
await ensureServers(progress);
const programs = await buildGoPrograms(progress);

process.exitCode = await test(['--config', at('jest.interop.config.mjs'), ...process.argv.slice(2)], {
  resultsFile: path.join(stateDir, 'interop-results.json'),
  env: { WAYBILL_TEST_GO_PROGRAMS: JSON.stringify(programs) },
});
