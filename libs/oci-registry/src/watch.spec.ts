import { EventEmitter } from 'node:events';
import type { ClientRequest } from 'node:http';
import { PassThrough } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Expiry, watchExchange } from './watch.js';

const limits = { connectMs: 100, answerMs: 200, idleMs: 50, totalMs: 10_000 };

/** What the watch sees of Node's request, response and socket. */
class Wire extends EventEmitter {
  readonly socket = Object.assign(new EventEmitter(), { connecting: true, bytesWritten: 0, bytesRead: 0, writableLength: 0 });
  readonly response = Object.assign(new EventEmitter(), { socket: this.socket, readableLength: 0, readableHighWaterMark: 10 });
  readonly protocol = 'http:';
  writableLength = 0;
  writableFinished = false;

  connect(): void {
    this.emit('socket', this.socket);
    this.socket.emit('connect');
  }

  finish(): void {
    this.writableFinished = true;
    this.emit('finish');
  }
}

describe('the watch over an exchange', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function watched(): { readonly wire: Wire; readonly expired: Expiry[] } {
    const wire = new Wire();
    const expired: Expiry[] = [];
    watchExchange(wire as unknown as ClientRequest, limits, (expiry) => expired.push(expiry));
    return { wire, expired };
  }

  it('says nothing while the request waits for a connection', () => {
    const { expired } = watched();

    jest.advanceTimersByTime(1_000_000);

    expect(expired).toEqual([]);
  });

  it('limits the connection', () => {
    const { wire, expired } = watched();
    wire.emit('socket', wire.socket);

    jest.advanceTimersByTime(100);

    expect(expired).toEqual(['connect']);
  });

  it('limits the handshake of TLS through a tunnel, whose socket is connected from the start', () => {
    const { wire, expired } = watched();
    const secure = new TLSSocket(new PassThrough());
    wire.emit('socket', secure);
    expect(secure.connecting).toBe(false);

    jest.advanceTimersByTime(100);

    expect(expired).toEqual(['connect']);
    secure.destroy();
  });

  it('expects no handshake of TLS that stands', () => {
    const { wire, expired } = watched();
    const secure = Object.assign(new TLSSocket(new PassThrough()), { authorized: true });
    wire.emit('socket', secure);
    wire.finish();

    jest.advanceTimersByTime(199);
    expect(expired).toEqual([]);

    jest.advanceTimersByTime(1);
    expect(expired).toEqual(['answer']);
    secure.destroy();
  });

  it('limits the answer from the end of the request on', () => {
    const { wire, expired } = watched();
    wire.connect();
    jest.advanceTimersByTime(1000);
    wire.finish();

    jest.advanceTimersByTime(199);
    expect(expired).toEqual([]);

    jest.advanceTimersByTime(1);
    expect(expired).toEqual(['answer']);
  });

  it('waits for a slow source without end, but not for a registry that takes nothing', () => {
    const { wire, expired } = watched();
    wire.connect();
    jest.advanceTimersByTime(1000);
    expect(expired).toEqual([]);

    wire.writableLength = 1;
    jest.advanceTimersByTime(50);

    expect(expired).toEqual(['idle']);
  });

  it('is content with an upload that moves', () => {
    const { wire, expired } = watched();
    wire.connect();
    wire.writableLength = 1;

    for (let step = 0; step < 100; step += 1) {
      wire.socket.bytesWritten += 100;
      jest.advanceTimersByTime(49);
    }

    expect(expired).toEqual([]);
  });

  it('ends what comes a byte at a time', () => {
    const { wire, expired } = watched();
    wire.connect();
    wire.finish();
    wire.emit('response', wire.response);

    for (let step = 0; step < 3; step += 1) {
      wire.socket.bytesRead += 1;
      jest.advanceTimersByTime(25);
    }

    expect(expired).toEqual(['idle']);
  });

  it('does not blame the registry for little that we gave or took', () => {
    const { wire, expired } = watched();
    wire.connect();
    wire.finish();
    wire.emit('response', wire.response);

    for (let step = 0; step < 100; step += 1) {
      wire.response.readableLength = step % 2 === 0 ? 10 : 0; // full, and taken just before it is looked at
      wire.socket.bytesRead += 1;
      jest.advanceTimersByTime(50);
    }

    expect(expired).toEqual([]);
  });

  it('waits for a slow reader, but not for a registry that sends nothing', () => {
    const { wire, expired } = watched();
    wire.connect();
    wire.finish();
    wire.emit('response', wire.response);
    wire.response.readableLength = 10;
    jest.advanceTimersByTime(1000);
    expect(expired).toEqual([]);

    wire.response.readableLength = 0;
    jest.advanceTimersByTime(50);

    expect(expired).toEqual(['idle']);
  });

  it('limits the whole, however lively', () => {
    const { wire, expired } = watched();
    wire.connect();
    wire.finish();
    wire.emit('response', wire.response);

    for (let step = 0; step < 400; step += 1) {
      wire.socket.bytesRead += 100;
      jest.advanceTimersByTime(49);
    }

    expect(expired).toEqual(['total']);
  });

  it('does not begin to wait for an answer that came before the request was sent whole', () => {
    const { wire, expired } = watched();
    wire.connect();
    wire.emit('response', wire.response);
    wire.response.emit('close');

    wire.finish();
    jest.advanceTimersByTime(1_000_000);

    expect(expired).toEqual([]);
  });

  it.each(['answered', 'broken off'])('stops when the exchange is %s', (end) => {
    const { wire, expired } = watched();
    wire.connect();
    if (end === 'answered') {
      wire.finish();
      wire.emit('response', wire.response);
      wire.response.emit('close');
    }
    wire.emit('close');

    jest.advanceTimersByTime(1_000_000);

    expect(expired).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
