import { describe, expect, it } from '@jest/globals';
import { requireHandlers } from './require-handlers.js';

const queue = {
  consumers: () => [
    { job: 'run-promotion', queueName: 'run-promotion.eu' },
    { job: 'crawl', queueName: 'crawl' },
  ],
};

describe('requireHandlers', () => {
  it('is content when every expected job has one', () => {
    expect(() => requireHandlers(queue, [{ job: 'run-promotion', queueName: 'run-promotion.eu' }])).not.toThrow();
    expect(() => requireHandlers(queue, [])).not.toThrow();
  });

  it('names all that have none', () => {
    const expected = [
      { job: 'run-promotion', queueName: 'run-promotion.us' },
      { job: 'crawl', queueName: 'crawl' },
      { job: 'sweep', queueName: 'sweep' },
    ];

    expect(() => requireHandlers(queue, expected)).toThrow(
      expect.objectContaining({
        code: 'handler-missing',
        message: 'no handler runs run-promotion on run-promotion.us, sweep on sweep',
      }),
    );
  });
});
