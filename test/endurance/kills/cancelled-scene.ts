import { hexOf } from '@waybill/oci-model';
import type { ProxiedRequest } from '../../e2e/fault-proxy.js';
import { app, tool } from './promotion.js';
import { quiet, type Scene } from './scene.js';
import type { Stage } from './stage.js';

const never = new Promise<void>(() => undefined);
const layer = tool.built.layers.at(-1)!;
const others = [...tool.built.blobs.keys()].filter((digest) => digest !== layer.digest).map(hexOf);

/** What prod is never asked: to take the app's root, and the tool's own layer. */
function isHeld({ method, url }: ProxiedRequest): boolean {
  if (method !== 'PUT') return false;
  const isRoot = url.endsWith(`/${app.repository}/manifests/${app.built.manifest.digest}`);
  return isRoot || (url.includes(`/${tool.repository}/blobs/uploads/`) && url.includes(encodeURIComponent(layer.digest)));
}

/** Nothing moves any more: what is to come to staging has, prod stands still at both items, and the replica waits for it. */
async function isInMidCopy(stage: Stage): Promise<boolean> {
  const [row] = await stage.database.tables.$queryRaw<{ stands: boolean }[]>`
    SELECT (SELECT count(*) FROM item_target t JOIN registry r ON r.id = t.registry_id WHERE r.name = 'staging' AND t.state = 'done') = 2
      AND (SELECT count(*) FROM effect e JOIN registry r ON r.id = e.registry_id
           WHERE r.name = 'prod' AND e.state = 'intended') = ${app.built.children.length + 1}
      AND (SELECT count(*) FROM item_target WHERE follows IS NOT NULL AND waiting_since IS NOT NULL) = 2
      AND EXISTS (SELECT 1 FROM dispatch WHERE location = 'us' AND state = 'parked') AS stands`;
  if (row?.stands !== true) return false;
  const files = await stage.filesOf('prod', tool.repository);
  return (
    files.some((file) => /^_uploads\/[^/]+\/startedat$/.test(file)) && others.every((hex) => files.includes(`_layers/sha256/${hex}/link`))
  );
}

/**
 * Cancelled when it has arrived at staging, and at prod lacks the root of one item and a layer of the other: an upload is
 * given back, manifests are settled from what prod holds, targets end, then the promotion. What no worker runs, the
 * replica, ends with the cancellation.
 */
export const cancelled = {
  ...quiet,
  title: 'is cancelled in mid-copy',
  itsLast: { 'upload.cancel': 1, 'journal.finish': 2, 'records.close': 1 },
  prepare: (stage: Stage) => {
    stage.prodProxy.always((request) => stage.isOfCase(request) && isHeld(request), { kind: 'hold', until: never });
    return Promise.resolve();
  },
  disturb: async (stage: Stage) => {
    await stage.until('the copy stands still', () => isInMidCopy(stage));
    await stage.cancel();
  },
} as const satisfies Scene;
