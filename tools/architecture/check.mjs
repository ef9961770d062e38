import path from 'node:path';
import { cruise } from './cruise.mjs';
import { FLOOR } from './floor.mjs';

const { violations, modules, dependencies } = cruise(path.resolve(import.meta.dirname, '../..'));

for (const violation of violations) console.error(violation);
console.log(`${violations.length} violations in ${modules} modules with ${dependencies} imports of each other`);
if (modules < FLOOR.modules || dependencies < FLOOR.dependencies) {
  console.error(`too little was seen: at least ${FLOOR.modules} modules and ${FLOOR.dependencies} imports are expected`);
  process.exitCode = 1;
}
if (violations.length > 0) process.exitCode = 1;
