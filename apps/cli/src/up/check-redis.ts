import { once } from 'node:events';
import { connect } from 'node:net';
import { addAbortSignal, type Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { WaybillError } from '@waybill/kernel';
import { messageOf } from '../system-error.js';

/** The Redis that the environment names cannot be used. */
export class RedisUnusable extends WaybillError<'redis-unusable'> {}

const timeoutMs = 5_000;
const defaultPort = 6379;
const maxAnswerLength = 1024;

/**
 * Asks a Redis once for a PONG, with the URL's user and password. The message names the host, never the password.
 * It speaks the protocol itself: the client belongs to the queue, which a command line need not load.
 * @throws RedisUnusable
 */
export async function checkRedis(text: string, signal: AbortSignal): Promise<void> {
  const url = new URL(text);
  const target = { host: url.hostname.replaceAll(/^\[|\]$/g, ''), port: url.port === '' ? defaultPort : Number(url.port) };
  const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const socket = url.protocol === 'rediss:' ? connectTls({ ...target, servername: target.host }) : connect(target);
  try {
    await once(socket, url.protocol === 'rediss:' ? 'secureConnect' : 'connect', { signal: stop });
    socket.write([...credentialsOf(url), ['PING']].map(encode).join(''));
    const refusal = await refusalIn(addAbortSignal(stop, socket));
    if (refusal !== undefined) throw new Error(refusal);
  } catch (cause) {
    signal.throwIfAborted();
    const reason = stop.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(cause);
    throw new RedisUnusable(`Redis at ${target.host}:${target.port} cannot be used: ${reason}`, {
      code: 'redis-unusable',
      operation: 'check redis',
      retryable: true,
      cause,
    });
  } finally {
    socket.destroy();
  }
}

function credentialsOf({ username, password }: URL): string[][] {
  if (password === '') return [];
  return [['AUTH', ...(username === '' ? [] : [decodeURIComponent(username)]), decodeURIComponent(password)]];
}

/** A command as an array of bulk strings (RESP2, "Sending commands to a Redis server"). */
function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/** Reads until the PONG; gives what came instead. */
async function refusalIn(socket: Duplex): Promise<string | undefined> {
  let text = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8');
    const whole = text.split('\r\n').slice(0, -1);
    const error = whole.find((line) => line.startsWith('-'));
    if (error !== undefined) return error.slice(1);
    if (whole.includes('+PONG')) return undefined;
    if (text.length > maxAnswerLength) return 'it does not speak the protocol of Redis';
  }
  return 'it hung up';
}

/** Node tells of several addresses that failed by an error without words. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join('; ');
  return messageOf(cause);
}
