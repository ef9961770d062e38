import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.js';
import { type NestLogger, nestLogger } from './nest-logger.js';

function line(act: (nest: NestLogger) => void): Readonly<Record<string, unknown>> {
  const lines: string[] = [];
  act(nestLogger(createLogger({ name: 'spec', level: 'trace', destination: { write: (text) => void lines.push(text) } })));
  return JSON.parse(lines.join('')) as Readonly<Record<string, unknown>>;
}

describe('nestLogger', () => {
  it.each<[keyof NestLogger, string]>([
    ['log', 'info'],
    ['error', 'error'],
    ['warn', 'warn'],
    ['debug', 'debug'],
    ['verbose', 'trace'],
    ['fatal', 'fatal'],
  ])('says what Nest says with %s as %s', (method, level) => {
    expect(line((nest) => nest[method]('Mapped route', 'Router'))).toMatchObject({ level, msg: 'Mapped route', context: 'Router' });
  });

  it('tells stack and context of an error apart', () => {
    const stack = 'Error: broken\n    at f (a.js:1:1)';

    expect(line((nest) => nest.error('broken', stack, 'Handler'))).toMatchObject({ msg: 'broken', stack, context: 'Handler' });
    expect(line((nest) => nest.error('broken', stack))).toMatchObject({ msg: 'broken', stack });
    expect(line((nest) => nest.error('broken', undefined, 'Handler'))).toMatchObject({ msg: 'broken', context: 'Handler' });
  });

  it('keeps errors and objects as fields under a static message', () => {
    expect(line((nest) => nest.error(new TypeError('broken'), 'Handler'))).toMatchObject({
      msg: 'nest reported an error',
      err: { type: 'TypeError', message: 'broken' },
      context: 'Handler',
    });
    expect(line((nest) => nest.log({ routes: 3 }))).toMatchObject({ msg: 'nest reported', data: { routes: 3 } });
  });

  it('keeps further messages', () => {
    expect(line((nest) => nest.warn('first', 'second', { third: 3 }, 'Router'))).toMatchObject({
      msg: 'first',
      more: ['second', { third: 3 }],
      context: 'Router',
    });
  });
});
