/** Where commands write: results to stdout, everything about them to stderr when stdout carries JSON. */
export interface Output {
  /** A line for a person. */
  line(text?: string): void;
  /** The result for a program; the only thing on stdout with `--json`. */
  json(value: unknown): void;
  error(text: string): void;
  readonly isTerminal: boolean;
}

export function consoleOutput(options: { readonly json: boolean }): Output {
  const people = options.json ? process.stderr : process.stdout;
  return {
    line: (text = '') => void people.write(`${text}\n`),
    json: (value) => void process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    error: (text) => void process.stderr.write(`${text}\n`),
    isTerminal: people.isTTY === true,
  };
}
