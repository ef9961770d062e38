import type { LogLevel } from '@waybill/config';
import { pino } from 'pino';
import { toPlain } from './plain.js';
import { redactLine } from './redact.js';

/** Facts beside a message: ids rather than objects; an error goes under `err`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Logs one line. The message is static, so that lines can be grouped by it; what varies goes into the fields. */
export interface LogMethod {
  (message: string): void;
  (fields: LogFields, message: string): void;
}

const severities = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** A severity of a line. */
export type Severity = (typeof severities)[number];

/** Structured logs. Its methods need no `this` and never throw. */
export interface Logger extends Readonly<Record<Severity, LogMethod>> {
  /** A logger that adds the fields to every line. */
  child(fields: LogFields): Logger;
}

/** Takes whole lines, each with its line break. */
export interface LogDestination {
  write(line: string): void;
}

export interface LoggerOptions {
  /** The program, as field `name`. */
  readonly name: string;
  readonly level: LogLevel;
  /** Standard output when absent. */
  readonly destination?: LogDestination;
}

/**
 * A logger of JSON lines (`level` as a word, `time` in RFC 3339, `name`, `pid`, `msg`, fields).
 *
 * Whatever is logged is made plain and bounded first; every finished line is redacted as a whole,
 * so that no position (message, field, binding, error, stack, cause) escapes.
 */
export function createLogger({ name, level, destination = pino.destination({ dest: 1, sync: true }) }: LoggerOptions): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    // Errors are made plain here already; pino's own serializer would take `err` for something else.
    serializers: { err: (err: unknown) => err },
    hooks: { streamWrite: redactLine },
  };
  return wrap(pino(options, destination));
}

/** A logger that says nothing. */
export const silentLogger: Logger = createLogger({ name: 'silent', level: 'silent', destination: { write: () => undefined } });

function wrap(target: pino.Logger): Logger {
  const methods = Object.fromEntries(severities.map((severity) => [severity, methodOf(target, severity)])) as Record<Severity, LogMethod>;
  return { ...methods, child: (fields) => wrap(target.child(toPlain(fields) as pino.Bindings)) };
}

function methodOf(target: pino.Logger, severity: Severity): LogMethod {
  return (first: string | LogFields, message?: string): void => {
    if (!target.isLevelEnabled(severity)) return;
    // The empty list of arguments keeps a `%s` in a message what it is.
    if (typeof first === 'string') target[severity]({}, first);
    else target[severity](toPlain(first) as object, message ?? '');
  };
}
