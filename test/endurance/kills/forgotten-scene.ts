import type { ProxiedRequest } from '../../e2e/fault-proxy.js';
import { app } from './promotion.js';
import { quiet, type Scene } from './scene.js';
import type { Stage } from './stage.js';
import { startWorker } from './start-worker.js';

const [tag] = app.tags;

/** Everything but what waits for the app at prod. */
async function hasAllElse(stage: Stage): Promise<boolean> {
  const [row] = await stage.database.tables.$queryRaw<{ waits: boolean }[]>`
    SELECT (SELECT count(*) FROM item_target WHERE state = 'done') = 4
      AND EXISTS (SELECT 1 FROM item_target WHERE follows IS NOT NULL AND waiting_since IS NOT NULL)
      AND EXISTS (SELECT 1 FROM dispatch WHERE location = 'us' AND state = 'parked') AS waits`;
  return row?.waits === true;
}

/** A worker is killed when the app's tag is at prod and nobody has told it so; nothing else is under way then. */
async function dieOverTag(stage: Stage): Promise<void> {
  const isPut = (request: ProxiedRequest, reference: string) =>
    request.method === 'PUT' && stage.isOfCase(request) && request.url.endsWith(`/prod/${app.repository}/manifests/${reference}`);
  const gate = new AbortController();
  const until = new Promise<void>((resolve) => gate.signal.addEventListener('abort', () => resolve()));
  void stage.prodProxy.once((request) => isPut(request, app.built.manifest.digest), { kind: 'hold', until });
  const isTagged = stage.prodProxy.once((request) => isPut(request, tag), { kind: 'swallow-answer' });
  const worker = startWorker(stage.environment);
  try {
    await stage.until('nothing but the app at prod is left', () => hasAllElse(stage));
    gate.abort();
    await isTagged;
  } finally {
    await worker.kill();
  }
}

/** As no transaction of ours does: the target is ended and nothing that follows from it is done, and nobody is sent anywhere. */
async function endByHand({ tables }: Stage['database']): Promise<void> {
  await tables.$executeRaw`UPDATE item_target SET state = 'done', outcome = 'failed', finished_at = now() WHERE requirement = 'required' AND state <> 'done'`;
  await tables.$executeRaw`
    UPDATE dispatch SET state = 'finished', number = number + 1, due_at = NULL, lease_holder = NULL, lease_expires_at = NULL`;
}

/** A worker died over a tag, the queue was emptied, and somebody has ended by hand what was under way. */
async function leaveToTables(stage: Stage): Promise<void> {
  await dieOverTag(stage);
  await stage.emptyQueue();
  await endByHand(stage.database);
}

/**
 * Forgotten by everybody but the tables. The reconciler settles the tag, sends somebody to the replica that waits still,
 * ends the promotion and takes the dead worker's lease on the tag away.
 */
export const forgotten = {
  ...quiet,
  title: 'is forgotten',
  itsOwn: ['effects.claim', 'effects.settle', 'leftovers.redispatchStranded', 'leftovers.settleEnded', 'leftovers.releaseTagLeases'],
  prepare: leaveToTables,
} as const satisfies Scene;

/** As `forgotten`, and where the tag was to be stands another registry: what became of it, nobody will know. */
export const replaced = {
  ...quiet,
  title: 'loses a registry',
  itsOwn: ['effects.settleUnreadable'],
  prepare: async (stage: Stage) => {
    await leaveToTables(stage);
    await stage.replaceProd();
  },
} as const satisfies Scene;
