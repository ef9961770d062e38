import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineJob, type JobDefinition } from './define-job.js';
import { runPromotionJob, runPromotionQueue } from './run-promotion-job.js';

const Payload = z.strictObject({ id: z.string(), queue: z.string(), secret: z.string().optional() });
type Payload = z.infer<typeof Payload>;

const definition: JobDefinition<Payload> = {
  name: 'probe-it',
  payload: Payload,
  queueFor: ({ queue }) => queue,
  idFor: ({ id }) => id,
};
const job = defineJob(definition);

describe('defineJob', () => {
  it.each(['', 'Probe', 'probe_it', 'probe.it', 'probe:it', '-probe', 'probe--it'])('refuses the name %j', (name) => {
    expect(() => defineJob({ ...definition, name })).toThrow(expect.objectContaining({ code: 'job-invalid', retryable: false }));
  });
});

describe('prepare', () => {
  it('says what is queued, where, and under which id', () => {
    expect(job.prepare({ id: 'p1.eu.3', queue: 'probe-it.eu' })).toEqual({
      name: 'probe-it',
      queueName: 'probe-it.eu',
      id: 'p1.eu.3',
      data: { id: 'p1.eu.3', queue: 'probe-it.eu' },
    });
  });

  it.each(['7', '0', '007', '', 'a:b', '0:a', 'a b', '.a', 'a'.repeat(201), 'ä'])('refuses the id %j', (id) => {
    expect(() => job.prepare({ id, queue: 'probe-it' })).toThrow(expect.objectContaining({ code: 'job-invalid' }));
  });

  it.each(['a', '7a', '7.1', 'p1.eu-west.12', 'A_b', 'a'.repeat(200)])('takes the id %j', (id) => {
    expect(job.prepare({ id, queue: 'probe-it' }).id).toBe(id);
  });

  it.each([
    'other',
    'probe-it.',
    'probe-it.EU',
    'probe-it:eu',
    'probe-it.e u',
    'probe-item',
    'probe-it.a..b',
    'probe-it.{a}',
    `probe-it.${'a'.repeat(128)}`,
  ])('refuses the queue %j', (queue) => {
    expect(() => job.prepare({ id: 'a', queue })).toThrow(expect.objectContaining({ code: 'job-invalid' }));
  });

  it.each(['probe-it', 'probe-it.eu', 'probe-it.us-east-1', 'probe-it.01931b2e-7d4a'])('takes the queue %j', (queue) => {
    expect(job.prepare({ id: 'a', queue }).queueName).toBe(queue);
  });
});

describe('receive', () => {
  it('gives what matches the schema', () => {
    expect(job.receive({ id: 'a', queue: 'probe-it' })).toEqual({ id: 'a', queue: 'probe-it' });
  });

  it('names every problem and quotes no value', () => {
    const data = { id: 7, queue: 'probe-it', secret: ['hunter2'], more: 'hunter2' };

    expect(() => job.receive(data)).toThrow(
      expect.objectContaining({
        code: 'payload-invalid',
        retryable: false,
        message: expect.stringMatching(/^a payload of the job probe-it does not match its schema: id: .*; secret: .*(?!hunter2)/),
      }),
    );
    expect(() => job.receive(data)).not.toThrow(/hunter2/);
  });

  it.each([undefined, null, 'text', []])('refuses %j', (data) => {
    expect(() => job.receive(data)).toThrow(expect.objectContaining({ code: 'payload-invalid' }));
  });
});

describe('runPromotionJob', () => {
  const payload = { v: 1, promotionId: '01931b2e-7d4a-7c1e-9f65-0d4c5a1b2c3d', location: 'us-east-1', dispatch: 3 } as const;

  it('has a queue per location and an id per dispatch', () => {
    expect(runPromotionJob.prepare(payload)).toMatchObject({
      name: 'run-promotion',
      queueName: 'run-promotion.us-east-1',
      id: '01931b2e-7d4a-7c1e-9f65-0d4c5a1b2c3d.us-east-1.3',
    });
    expect(runPromotionQueue('eu')).toBe('run-promotion.eu');
  });

  it.each(['a', 'x'.repeat(63), '7', 'eu-west-1'])('takes every name of a location, such as %j', (location) => {
    expect(() => runPromotionJob.prepare({ ...payload, location })).not.toThrow();
  });
});
