import { isError } from './error-record.js';
import type { LogFields, Logger, Severity } from './logger.js';

/** What `NestFactory.create(…, { logger })` wants, without Nest in this library. */
export interface NestLogger {
  log(message: unknown, ...rest: readonly unknown[]): void;
  error(message: unknown, ...rest: readonly unknown[]): void;
  warn(message: unknown, ...rest: readonly unknown[]): void;
  debug(message: unknown, ...rest: readonly unknown[]): void;
  verbose(message: unknown, ...rest: readonly unknown[]): void;
  fatal(message: unknown, ...rest: readonly unknown[]): void;
}

/** Lets Nest speak through a logger. Nest's context becomes the field `context`, its stack the field `stack`. */
export function nestLogger(logger: Logger): NestLogger {
  const say =
    (severity: Severity) =>
    (message: unknown, ...rest: readonly unknown[]): void =>
      logger[severity](...line(message, rest));
  return { log: say('info'), error: say('error'), warn: say('warn'), debug: say('debug'), verbose: say('trace'), fatal: say('fatal') };
}

/** Nest calls `(message, …more, context)`, and for errors `(message, stack, context)`; all but the message may be missing. */
function line(message: unknown, rest: readonly unknown[]): [LogFields, string] {
  const stack = rest.find(isStack);
  const others = rest.filter((value) => value !== undefined && value !== stack);
  const context = typeof others.at(-1) === 'string' ? others.pop() : undefined;
  const fields = {
    ...(context !== undefined && { context }),
    ...(stack !== undefined && { stack }),
    ...(others.length > 0 && { more: others }),
  };
  if (typeof message === 'string') return [fields, message];
  if (isError(message)) return [{ ...fields, err: message }, 'nest reported an error'];
  return [{ ...fields, data: message }, 'nest reported'];
}

function isStack(value: unknown): value is string {
  return typeof value === 'string' && /\n\s+at /.test(value);
}
