// `npm run test:retention`: a registry of many repositories is cleaned beside promotions, its trash restored, its space given back.
import { Interruption, stopSignals } from '../../../apps/cli/src/interruption.js';
import { Stack } from '../../../apps/cli/src/up/stack.js';
import { Administrator } from './administrator.js';
import { install } from './installation.js';
import { Promotions } from './promotions.js';
import { sceneryOf } from './scenery.js';
import { play } from './story.js';
import { topologyWith } from './topology.js';

const begun = performance.now();
const say = (text: string): void => console.log(`${((performance.now() - begun) / 1_000).toFixed(0)} s: ${text}`);

function repositoryCount(): number {
  const text = process.env['RETENTION_REPOSITORIES'] ?? '200';
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error('RETENTION_REPOSITORIES must be a number from 1 to 99999');
  return Number(text);
}

const stack = new Stack();
const stopped = new AbortController();
for (const signal of stopSignals) process.once(signal, () => stopped.abort(new Interruption(signal)));
const problems: string[] = [];
try {
  const sceneries = Array.from({ length: repositoryCount() }, (_, number) => sceneryOf(number));
  const installation = await install(topologyWith('1h'), { stack, signal: stopped.signal });
  const { api } = installation;
  const promotions = new Promotions(api, problems);
  await play({ installation, administrator: new Administrator(api, say), sceneries, promotions, problems, say }).catch((error: unknown) =>
    problems.push(`the story broke off: ${String(error)}`),
  );
  for (const problem of problems) console.error(problem);
  say(`${problems.length} problems`);
  if (problems.length > 0) {
    console.error(await installation.lastWords());
    process.exitCode = 1;
  }
} finally {
  await stack.unwind();
}
