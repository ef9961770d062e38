import type { Draft, PolicyDraft } from '../draft.js';
import { parseDuration } from '../duration.js';
import { type DocumentPath, type Finding, quoted } from '../finding.js';
import { parseCron } from '../retention/cron.js';

/** A window ends before the next time is due; otherwise it limits nothing. */
export function scheduleWindows(draft: Draft): Finding[] {
  return [
    ...draft.retention.flatMap(({ schedule }, index) => ofSchedule(schedule, ['retention', index, 'schedule'])),
    ...Object.entries(draft.registries).flatMap(([name, { retention, wipe }]) => [
      ...(typeof retention === 'object' ? ofSchedule(retention.schedule, ['registries', name, 'retention', 'schedule']) : []),
      ...ofSchedule(wipe?.schedule, ['registries', name, 'wipe', 'schedule']),
    ]),
  ];
}

function ofSchedule(schedule: PolicyDraft['schedule'], path: DocumentPath): Finding[] {
  if (typeof schedule !== 'object' || schedule.cron === undefined || schedule.window === undefined) return [];
  const windowMs = parseDuration(schedule.window);
  const periodMs = shortestPeriod(schedule.cron);
  if (windowMs === undefined || periodMs === undefined || windowMs <= periodMs) return [];
  const message = `a window of ${quoted(schedule.window)} is longer than the time to the next run`;
  return [{ code: 'window-too-long', severity: 'warning', message, path: [...path, 'window'] }];
}

const mostTimes = 25;

/** The shortest time between two of the first times since an arbitrary day; the hours that a time zone shifts are left aside. */
function shortestPeriod(text: string): number | undefined {
  const parsed = parseCron(text, 'UTC');
  if (!parsed.ok) return undefined;
  let shortest = Number.POSITIVE_INFINITY;
  let last = parsed.cron.nextAfter(new Date(0));
  for (let count = 0; count < mostTimes; count += 1) {
    const next = parsed.cron.nextAfter(last);
    shortest = Math.min(shortest, next.getTime() - last.getTime());
    last = next;
  }
  return shortest;
}
