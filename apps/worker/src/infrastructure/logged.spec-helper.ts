import { createLogger, type Logger } from '@waybill/observability';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A real logger, and what it wrote. */
export interface Logged {
  readonly logger: Logger;
  readonly lines: readonly LogLine[];
  /** Lines of this message. */
  saying(message: string): readonly LogLine[];
  /** Warnings and worse that the code alone decides: whether the queue's locks are renewed in time, a machine that stands still decides. */
  troubles(): readonly LogLine[];
}

const lostLock = 'the queue lost the lock of running jobs, they may run twice';

export function logged(): Logged {
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  return {
    logger: createLogger({ name: 'worker', level: 'trace', destination }),
    lines,
    saying: (message) => lines.filter(({ msg }) => msg === message),
    troubles: () => lines.filter(({ level, msg }) => ['warn', 'error', 'fatal'].includes(level) && msg !== lostLock),
  };
}
