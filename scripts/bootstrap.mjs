// The whole set-up behind `npm start` and `npm test`. Nothing but Node's built-ins may be imported from here:
// on a fresh clone there is nothing else yet. Old Nodes must get as far as the message below, so this file
// holds no syntax and no import that they would stumble over.
import { nodeVersionProblem } from './bootstrap/node-version.mjs';

const problem = nodeVersionProblem(process.versions.node);
if (problem === undefined) {
  import('./bootstrap/main.mjs').then(({ main }) => main(process.argv.slice(2)));
} else {
  console.error(problem);
  process.exit(1);
}
