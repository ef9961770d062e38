import { describe, expect, it } from '@jest/globals';
import { SchemaVersionMismatchError } from 'bullmq';
import { asQueueError, isConnectionLoss } from './backend-failure.js';
import { QueueError } from './queue-error.js';

function withCode(code: string, message = 'broken'): Error {
  return Object.assign(new Error(message), { code });
}

describe('asQueueError', () => {
  it.each<[string, unknown]>([
    ['a refused connection', withCode('ECONNREFUSED')],
    ['a role that may not log in (for now)', withCode('28000')],
    ['a wrong password (for now)', withCode('28P01')],
    ['a missing password for Redis (for now)', new Error('NOAUTH Authentication required.')],
    ['a wrong password for Redis (for now)', new Error('WRONGPASS invalid username-password pair or user is disabled.')],
    ['a server that starts', withCode('57P03')],
    ['too many connections', withCode('53300')],
    ['a full disk', withCode('53100')],
    ['a full Redis', new Error("OOM command not allowed when used memory > 'maxmemory'")],
    ['a Redis that loads its data', new Error('LOADING Redis is loading the dataset in memory')],
    ['what nobody has seen', 'text'],
  ])('calls %s unavailable, to be tried again', (_what, cause) => {
    expect(asQueueError('add job', cause)).toMatchObject({ code: 'queue-unavailable', retryable: true, operation: 'add job', cause });
  });

  it.each<[string, Error]>([
    ['a missing right in PostgreSQL', withCode('42501')],
    ['a missing schema', withCode('3F000')],
    ['a missing database', withCode('3D000')],
    ['a schema of a later version', new SchemaVersionMismatchError(9, 6)],
    ['a missing right in Redis', new Error("NOPERM this user has no permissions to run the 'evalsha' command")],
  ])('calls %s a refusal that a person has to end', (_what, cause) => {
    expect(asQueueError('open queue', cause)).toMatchObject({ code: 'queue-refused', retryable: false, cause });
  });

  it('leaves our own errors as they are', () => {
    const error = new QueueError('closed', { code: 'queue-closed', operation: 'add job' });

    expect(asQueueError('add job', error)).toBe(error);
  });
});

describe('isConnectionLoss', () => {
  it.each([
    withCode('ECONNRESET'),
    withCode('ETIMEDOUT'),
    withCode('08006'),
    withCode('28000'),
    withCode('57P01'),
    withCode('53300'),
    new Error('Connection is closed.'),
    new Error('Connection terminated unexpectedly'),
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
    new Error('Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.'),
    new Error('timeout exceeded when trying to connect'),
    new Error('Query read timeout'),
  ])('knows %s', (error) => {
    expect(isConnectionLoss(error)).toBe(true);
  });

  it.each([withCode('42501'), withCode('53100'), withCode('BM001'), new Error('OOM command not allowed'), 'ECONNRESET', undefined])(
    'takes %s for an answer',
    (error) => {
      expect(isConnectionLoss(error)).toBe(false);
    },
  );
});
