import { Composer, type Document, type LineCounter, Parser, type YAMLError } from 'yaml';
import type { DiagnosticCode } from './diagnostic.js';

/** A complaint about the text itself. */
export interface TextProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
  /** In UTF-16 units from the start of the text. */
  readonly offset: number;
}

export interface YamlText {
  readonly document?: Document;
  readonly problems: readonly TextProblem[];
}

const largestBytes = 1024 * 1024;
const deepest = 64;

class NestedTooDeeply extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super('nested too deeply');
    this.offset = offset;
  }
}

/**
 * The composer behind the parser recurses, and a stack that runs out inside a regular
 * expression ends the process, so depth is limited while the parser still reads iteratively.
 */
class ShallowParser extends Parser {
  override *next(source: string): ReturnType<Parser['next']> {
    yield* super.next(source);
    if (this.stack.length > deepest) throw new NestedTooDeeply(this.offset);
  }
}

/**
 * Reads one YAML 1.2 document. All syntax errors are returned, with their offsets;
 * a document is given only when there are none. Messages never quote the text.
 */
export function readYaml(text: string, lines: LineCounter): YamlText {
  const bytes = Buffer.byteLength(text);
  if (bytes > largestBytes) return refused('document-too-large', `the file has ${bytes} bytes, more than the ${largestBytes} allowed`);
  try {
    return inspect(compose(text, lines));
  } catch (error) {
    if (!(error instanceof NestedTooDeeply)) throw error;
    return refused('yaml-syntax', `collections are nested more than ${deepest} deep`, error.offset);
  }
}

function compose(text: string, lines: LineCounter): Document[] {
  const composer = new Composer({ version: '1.2', stringKeys: true, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  return [...composer.compose(new ShallowParser(lines.addNewLine).parse(text), true, text.length)];
}

function inspect([document, second]: readonly Document[]): YamlText {
  if (second !== undefined) {
    return refused('document-multiple', 'a topology is one YAML document; another begins here', second.range?.[0]);
  }
  const problems = [...(document?.errors ?? []), ...(document?.warnings ?? [])].map(syntaxProblem);
  if (problems.length > 0) return { problems };
  if (document === undefined || document.contents === null) return refused('document-empty', 'the file holds no topology');
  return { document, problems };
}

function syntaxProblem(error: YAMLError): TextProblem {
  const offset = error.pos[0];
  if (error.code === 'TAB_AS_INDENT') return { code: 'yaml-syntax', message: 'a tab indents this line; YAML allows spaces only', offset };
  return { code: 'yaml-syntax', message: lowerFirst(error.message), offset };
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function refused(code: DiagnosticCode, message: string, offset = 0): YamlText {
  return { problems: [{ code, message, offset }] };
}
