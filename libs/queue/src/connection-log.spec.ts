import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLogger } from '@waybill/observability';
import { ConnectionLog } from './connection-log.js';

describe('ConnectionLog', () => {
  let told: string[];
  let log: ConnectionLog;

  beforeEach(() => {
    jest.useFakeTimers();
    told = [];
    const write = (line: string): void => void told.push((JSON.parse(line) as { msg: string }).msg);
    log = new ConnectionLog(createLogger({ name: 'spec', level: 'info', destination: { write } }));
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('says nothing of a connection that works', () => {
    log.up();
    jest.advanceTimersByTime(5_000);

    expect(told).toEqual([]);
  });

  it('tells of a loss once, whatever fails after it', () => {
    log.down(new Error('first'));
    log.down(new Error('second'));

    expect(told).toEqual(['the queue cannot be reached']);
  });

  it('tells that it is back when it has held for a second, and of the next loss', () => {
    log.down(new Error('first'));
    log.up();
    log.up();
    jest.advanceTimersByTime(1_000);
    log.down(new Error('second'));

    expect(told).toEqual(['the queue cannot be reached', 'the queue can be reached again', 'the queue cannot be reached']);
  });

  it('takes a loss within that second for the same one', () => {
    log.down(new Error('first'));
    log.up();
    jest.advanceTimersByTime(999);
    log.down(new Error('second'));
    jest.advanceTimersByTime(5_000);

    expect(told).toEqual(['the queue cannot be reached']);
  });

  it('is silent once it is closed', () => {
    log.down(new Error('first'));
    log.up();
    log.close();
    jest.advanceTimersByTime(5_000);
    log.down(new Error('second'));

    expect(told).toEqual(['the queue cannot be reached']);
  });
});
