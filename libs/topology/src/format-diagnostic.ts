import type { Diagnostic } from './diagnostic.js';

const widest = 160;

/**
 * `file:line:column: error: message (did you mean "…"?)`, and with the file's text also the
 * line and a caret below the place. Lines that may hold a password are not shown,
 * and control characters never reach the terminal.
 */
export function formatDiagnostic(diagnostic: Diagnostic, text?: string): string {
  const { file, line, column, severity, message, suggestion } = diagnostic;
  const meant = suggestion === undefined ? '' : ` (did you mean ${JSON.stringify(suggestion)}?)`;
  const head = printable(`${file}:${line}:${column}: ${severity}: ${message}${meant}`);
  const excerpt = text === undefined ? undefined : excerptOf(diagnostic, text);
  return excerpt === undefined ? head : `${head}\n${excerpt}`;
}

function excerptOf(diagnostic: Diagnostic, text: string): string | undefined {
  const { line, column } = diagnostic;
  const source = text.split(/\r?\n/, line)[line - 1];
  if (source === undefined || mayShowSecret(diagnostic)) return undefined;
  const from = Math.max(0, column - widest / 2);
  const shown = printable(withoutUserinfo(source)).slice(from, from + widest);
  if (shown.trim() === '') return undefined;
  const gutter = `${line} | `;
  return `${gutter}${shown}\n${' '.repeat(gutter.length - 2)}| ${' '.repeat(column - 1 - from)}^`;
}

/** Passwords stand in urls, and in place of the names of secrets. */
function mayShowSecret({ code, path }: Diagnostic): boolean {
  return code === 'url-credentials' || code === 'url-invalid' || path.includes('/credentials/');
}

/** Other mistakes on the line of a URL must not show what stands before its "@". The length is kept. */
function withoutUserinfo(line: string): string {
  return line.replace(/(?<=:\/\/).*(?=@)/, (hidden) => '*'.repeat(hidden.length));
}

function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ');
}
