import { describe, expect, it } from '@jest/globals';
import { WaybillError } from '@waybill/kernel';
import { createLogger, type Logger, type LoggerOptions, silentLogger } from './logger.js';
import { bounds } from './plain.js';

class TestError extends WaybillError<'test-failed'> {
  constructor(message: string, cause?: unknown, details: Readonly<Record<string, unknown>> = {}) {
    super(message, { code: 'test-failed', operation: 'push manifest', retryable: true, retryAfterMs: 500, details, cause });
  }
}

type Line = Readonly<Record<string, unknown>>;

function logging(act: (logger: Logger) => void, level: LoggerOptions['level'] = 'trace'): readonly Line[] {
  return raw(act, level).map((line) => JSON.parse(line) as Line);
}

function raw(act: (logger: Logger) => void, level: LoggerOptions['level'] = 'trace'): readonly string[] {
  const lines: string[] = [];
  act(createLogger({ name: 'spec', level, destination: { write: (line) => void lines.push(line) } }));
  return lines;
}

describe('createLogger', () => {
  it('writes one JSON line with level, time, name and message', () => {
    const [line] = logging((logger) => logger.info({ promotionId: 'p1' }, 'promotion dispatched'));

    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      name: 'spec',
      pid: process.pid,
      promotionId: 'p1',
      msg: 'promotion dispatched',
    });
  });

  it('ends every line with one line break', () => {
    const lines = raw((logger) => logger.info('first\nsecond'));

    expect(lines).toEqual([expect.stringMatching(/^\{[^\n]*\}\n$/)]);
  });

  it('leaves lines below the level out', () => {
    const lines = logging((logger) => {
      logger.info('too quiet');
      logger.warn('heard');
    }, 'warn');

    expect(lines.map(({ msg }) => msg)).toEqual(['heard']);
  });

  it('adds the fields of a child to each of its lines, and of its children', () => {
    const [line] = logging((logger) => logger.child({ worker: 'w1' }).child({ location: 'eu' }).info({ attempt: 2 }, 'started'));

    expect(line).toMatchObject({ worker: 'w1', location: 'eu', attempt: 2 });
  });

  it('takes format marks in a message for what they are', () => {
    const lines = logging((logger) => {
      logger.info('100%s of %o');
      logger.info({ a: 1 }, '%d done');
    });

    expect(lines.map(({ msg }) => msg)).toEqual(['100%s of %o', '%d done']);
  });

  it('says nothing when silent', () => {
    expect(() => silentLogger.fatal({ err: new Error('lost') }, 'unheard')).not.toThrow();
  });
});

describe('errors in a line', () => {
  it('carry code, operation, retryability, details and the chain of causes', () => {
    const error = new TestError('the push failed', new Error('reset', { cause: Object.assign(new Error('io'), { code: 'ECONNRESET' }) }), {
      side: 'target',
    });

    const [line] = logging((logger) => logger.error({ err: error }, 'target failed'));

    expect(line?.['err']).toMatchObject({
      type: 'TestError',
      message: 'the push failed',
      code: 'test-failed',
      operation: 'push manifest',
      retryable: true,
      retryAfterMs: 500,
      details: { side: 'target' },
      stack: expect.stringContaining('logger.spec'),
      cause: { message: 'reset', cause: { message: 'io', code: 'ECONNRESET' } },
    });
  });

  it('are told under any key and at any depth', () => {
    const [line] = logging((logger) =>
      logger.warn({ outcomes: [{ reason: new TypeError('no') }], all: new AggregateError([new Error('one')], 'many') }, 'mixed'),
    );

    expect(line).toMatchObject({
      outcomes: [{ reason: { type: 'TypeError', message: 'no' } }],
      all: { message: 'many', errors: [{ message: 'one' }] },
    });
  });

  it('leave out what clients hang onto theirs', () => {
    const error = Object.assign(new Error('401'), {
      config: { headers: { 'x-odd': 'hunter2' } },
      request: {},
      response: { data: 'hunter2' },
    });

    const [line] = raw((logger) => logger.error({ err: error }, 'failed'));

    expect(line).not.toContain('hunter2');
  });

  it('end when causes go round', () => {
    const first = new Error('first');
    first.cause = new Error('second', { cause: first });

    const [line] = logging((logger) => logger.error({ err: first }, 'failed'));

    expect(line).toMatchObject({ err: { message: 'first', cause: { message: 'second', cause: '[circular]' } } });
  });

  it('end when the chain is endless', () => {
    let error = new Error('innermost');
    for (let index = 0; index < 1_000; index += 1) error = new Error(`cause ${index}`, { cause: error });

    const [line] = raw((logger) => logger.error({ err: error }, 'failed'));

    expect(line).toContain('[too deep]');
    expect(line).not.toContain('innermost');
  });
});

describe('values in a line', () => {
  it.each<[string, unknown, unknown]>([
    ['dates', new Date('2026-11-01T00:00:00Z'), '2026-11-01T00:00:00.000Z'],
    ['URLs', new URL('https://prod.example/v2/'), 'https://prod.example/v2/'],
    ['big integers', 12n, '12'],
    ['numbers that JSON does not know', [Number.NaN, Infinity], ['NaN', 'Infinity']],
    ['bytes', Buffer.from('abc'), '[3 bytes]'],
    ['maps', new Map([['a', 1]]), { a: 1 }],
    ['sets', new Set(['a']), ['a']],
    ['what JSON leaves out of lists', [undefined, () => 1], [null, null]],
    ['throwing getters', Object.defineProperty({}, 'bad', { enumerable: true, get: () => fail() }), { bad: '[unreadable]' }],
    ['throwing conversions', { toJSON: () => fail() }, '[unreadable]'],
    ['cycles', cycle(), { self: '[circular]' }],
  ])('bring %s into a form that JSON knows', (_what, value, written) => {
    const [line] = logging((logger) => logger.info({ value }, 'logged'));

    expect(line?.['value']).toEqual(written);
  });

  it('may stand twice without being called a cycle', () => {
    const shared = { a: 1 };

    const [line] = logging((logger) => logger.info({ one: shared, two: shared }, 'logged'));

    expect(line).toMatchObject({ one: { a: 1 }, two: { a: 1 } });
  });

  it('are cut in length, breadth and depth', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => index);
    const wide = Object.fromEntries(many.map((index) => [`k${index}`, index]));
    const deep = many.reduce<unknown>((inner) => ({ inner }), 'end');

    const [line] = raw((logger) => logger.info({ long: 'x'.repeat(1_000_000), many, wide, deep }, 'logged'));

    expect(line?.length).toBeLessThan(4 * bounds.characters);
    expect(line).toContain('[cut from 1000000 characters]');
    expect(line).toContain('[936 more]');
    expect(line).toContain('[too deep]');
  });
});

function fail(): never {
  throw new Error('unreadable');
}

function cycle(): object {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
}
