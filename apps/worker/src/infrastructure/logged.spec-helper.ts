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
}

export function logged(): Logged {
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) };
  return {
    logger: createLogger({ name: 'worker', level: 'trace', destination }),
    lines,
    saying: (message) => lines.filter(({ msg }) => msg === message),
  };
}
