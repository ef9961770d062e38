import { ContentError } from '@waybill/oci-model';
import { discard } from '../body.js';
import type { Finding, Probe } from './probe.js';
import { ProbeFailure } from './probe-failure.js';

/** Tokens are refused sooner: Distribution forgives a clock 30 to 90 seconds. */
const maxSkewMs = 30_000;
/** `Date` tells whole seconds (RFC 9110, section 5.6.7): on average half of one has passed. */
const halfSecondMs = 500;

const operation = 'ping';

/** Is there a registry at all, whether it lets us in or not? What it says of the time is noted on the way. */
export const reachable: Probe = {
  name: 'reachable',
  after: [],
  writes: false,
  async look({ connection, clock: ours }, signal) {
    const asked = ours.now().getTime();
    try {
      const answer = await connection.send({ method: 'GET', url: '/v2/', kind: 'check', operation, access: 'read', signal });
      const skew = skewOf(answer.headers.date, (asked + ours.now().getTime()) / 2);
      if (answer.status === 200 && /^text\/html\b/i.test(answer.headers['content-type'] ?? '')) {
        throw await connection.rejection(answer, `${connection.host} answers with a web page instead of a registry's answer`, {
          code: 'protocol',
          operation,
        });
      }
      if (answer.status !== 200 && answer.status !== 401 && answer.status !== 403) throw await connection.refusal(answer, { operation });
      await discard(answer);
      return skew === undefined ? {} : { clockSkewMs: skew };
    } catch (error) {
      // Whether a token is to be had is the next question.
      if (error instanceof ContentError && (error.code === 'unauthorized' || error.code === 'denied')) return {};
      throw error;
    }
  },
};

/** Judges what `reachable` noted. */
export const clock: Probe = {
  name: 'clock',
  after: ['reachable'],
  writes: false,
  look: ({ clockSkewMs }) => Promise.resolve().then(() => judgeClock(clockSkewMs)),
};

function judgeClock(clockSkewMs: number | undefined): Finding {
  if (clockSkewMs === undefined) return { note: 'it tells no time' };
  const seconds = Math.round(Math.abs(clockSkewMs) / 1000);
  if (Math.abs(clockSkewMs) <= maxSkewMs) return { note: `${seconds} s apart` };
  const message = `the registry's clock is ${seconds} s ${clockSkewMs > 0 ? 'ahead of' : 'behind'} ours`;
  throw new ProbeFailure(message, { code: 'clock-skew', operation: 'compare clocks' });
}

/** Do the read credentials open the door? What lies behind it is asked later. */
export const read: Probe = {
  name: 'read',
  after: ['reachable'],
  writes: false,
  async look({ connection }, signal) {
    const answer = await connection.send({ method: 'GET', url: '/v2/', kind: 'check', operation, access: 'read', signal });
    if (answer.status !== 200) throw await connection.refusal(answer, { operation });
    await discard(answer);
    return {};
  },
};

function skewOf(date: string | undefined, oursMs: number): number | undefined {
  const theirs = date === undefined ? NaN : Date.parse(date);
  return Number.isNaN(theirs) ? undefined : Math.round(theirs + halfSecondMs - oursMs);
}
