import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface ExchangeLimits {
  readonly connectMs: number;
  readonly answerMs: number;
  readonly idleMs: number;
  /** The whole exchange; absent for blobs, which take what they take. */
  readonly totalMs?: number;
}

/** Slower is no line but a grip: by a byte now and then, a blob would last for years. */
const leastBytesPerSecond = 1024;

export type Expiry = 'connect' | 'answer' | 'idle' | 'total';

/**
 * Watches one exchange and says once when a limit is passed. The clock starts when the request
 * has its connection: waiting for a free one is our own queue, not the registry's slowness.
 * Time in which we give nothing to send, or do not take what came, is not the registry's either.
 * Progress is looked at once per `idleMs`, so a stall is noticed within twice that, and so is a pace that is none.
 */
export function watchExchange(request: ClientRequest, limits: ExchangeLimits, onExpiry: (expiry: Expiry) => void): void {
  let phase: NodeJS.Timeout | undefined;
  let total: NodeJS.Timeout | undefined;
  let answered = false;

  const stop = (): void => {
    clearTimeout(phase);
    clearTimeout(total);
  };
  const expire = (expiry: Expiry): void => {
    stop();
    onExpiry(expiry);
  };
  const allow = (ms: number, expiry: Expiry): void => {
    clearTimeout(phase);
    phase = setTimeout(() => expire(expiry), ms);
  };
  const expectProgress = (progress: () => number, isTheirTurn: () => boolean): void => {
    clearTimeout(phase);
    const leastBytes = (leastBytesPerSecond * limits.idleMs) / 1000;
    let seen = progress();
    let wasTheirTurn = isTheirTurn();
    phase = setTimeout(function look() {
      const now = progress();
      const isTurn = isTheirTurn();
      const isSlow = now - seen < leastBytes && wasTheirTurn; // and not we, who gave or took little since
      if (isTurn && (now === seen || isSlow)) {
        expire('idle');
        return;
      }
      seen = now;
      wasTheirTurn = isTurn;
      phase = setTimeout(look, limits.idleMs);
    }, limits.idleMs);
  };

  request.once('socket', (socket: Socket) => {
    if (limits.totalMs !== undefined) total = setTimeout(() => expire('total'), limits.totalMs);
    const sending = (): void => {
      if (answered || request.writableFinished) return;
      expectProgress(
        () => socket.bytesWritten - socket.writableLength,
        () => request.writableLength > 0 || socket.writableLength > 0,
      );
    };
    if (stands(socket)) {
      sending();
    } else {
      allow(limits.connectMs, 'connect');
      socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', sending);
    }
  });
  request.once('finish', () => {
    if (!answered) allow(limits.answerMs, 'answer');
  });
  request.once('response', (response: IncomingMessage) => {
    answered = true;
    expectProgress(
      () => response.socket.bytesRead,
      () => response.readableLength < response.readableHighWaterMark,
    );
    response.once('close', stop);
  });
  request.once('close', () => {
    if (!answered) stop();
  });
}

/** TLS stands when the other side has proved who it is; through a proxy, its socket is connected long before. */
function stands(socket: Socket): boolean {
  return socket instanceof TLSSocket ? socket.authorized : !socket.connecting;
}
