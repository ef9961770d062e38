/** What a command may know of a stream that it writes to. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Streams {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
}

/** Where commands write: results to stdout, everything about them to stderr when stdout carries JSON. */
export interface Output {
  /** A line for a person. */
  line(text?: string): void;
  /** The result for a program; the only thing on stdout with `--json`. */
  json(value: unknown): void;
  /** One of many results, each on a line of its own. */
  jsonLine(value: unknown): void;
  error(text: string): void;
  /** Where lines for people go. */
  readonly people: TextStream;
}

export function consoleOutput({ stdout, stderr }: Streams, options: { readonly json: boolean }): Output {
  const people = options.json ? stderr : stdout;
  return {
    line: (text = '') => void people.write(`${text}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    jsonLine: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    error: (text) => void stderr.write(`${text}\n`),
    people,
  };
}
