import { z } from 'zod';
import { parseDuration } from '../duration.js';
import { annotationGlobProblem } from '../retention/annotation-glob.js';
import { Secret, written } from '../schema-words.js';

/** `notifications` of a registry: how it tells Waybill what happens there. */

const shortest = '1m';
const longest = '7d';

const Heartbeat = written((text) => {
  const ms = parseDuration(text);
  if (ms === undefined) return { code: 'value-invalid', problem: 'is no duration such as 5m, 1h or 1d' };
  if (ms >= (parseDuration(shortest) ?? 0) && ms <= (parseDuration(longest) ?? 0)) return undefined;
  return { code: 'value-invalid', problem: `must be at least ${shortest} and at most ${longest}` };
}, 'Each process of the registry is heard at least this often; of one that is not, something may be lost');

/** Free text, as annotations are. */
const Glob = written((text) => {
  const problem = annotationGlobProblem(text);
  return problem === undefined ? undefined : { code: 'glob-invalid', problem };
}, 'Glob over the whole text: * is any characters, ? is one');

const globs = z.array(Glob).min(1).max(50);

export const Notifications = z.strictObject({
  secret: Secret.optional(),
  heartbeat: Heartbeat.optional().meta({ default: '5m' }),
  ignore: z
    .strictObject({
      userAgents: globs.optional().describe('Programs whose pulls are none: scanners, replication'),
      actors: globs.optional().describe('Users of the registry whose pulls are none'),
    })
    .optional()
    .describe('Who pulls without being a consumer'),
});
export type NotificationsEntry = z.output<typeof Notifications>;
