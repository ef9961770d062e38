import type { z } from 'zod';
import { type DiagnosticCode, diagnosticCodes } from './diagnostic.js';
import { type DocumentPath, type Finding, listed, quoted } from './finding.js';
import { nearest } from './nearest.js';
import { plannedKeys } from './schema.js';
import { objectSchemaAt, recordValueAt } from './schema-shape.js';

type Issue = z.core.$ZodIssue;

/** A complaint of the schema, and which part of the document cannot be used because of it. */
export interface SchemaFinding extends Finding {
  readonly unusable: DocumentPath | undefined;
}

/** Everything that one key or value alone has wrong, in the words of the topology. */
export function schemaFindings(schema: z.ZodType, data: unknown): SchemaFinding[] {
  const result = schema.safeParse(data);
  return result.success ? [] : result.error.issues.flatMap((issue) => findingsOf(issue, { schema, data, base: [] }));
}

interface Place {
  readonly schema: z.ZodType;
  readonly data: unknown;
  /** Where the issue's own path begins. */
  readonly base: DocumentPath;
}

function findingsOf(issue: Issue, place: Place): SchemaFinding[] {
  const path = [...place.base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, place.schema));
    case 'invalid_key':
      return [badName(issue, path), ...valueBehindBadName(path, place)];
    case 'invalid_union':
      return intendedMember(issue).flatMap((inner) => findingsOf(inner, { ...place, base: path }));
    case 'custom':
      return [customFinding(issue, path)];
    default:
      return [plainFinding(issue, path, valueAt(place.data, path))];
  }
}

function unknownKey(key: string, parent: DocumentPath, schema: z.ZodType): SchemaFinding {
  const object = objectSchemaAt(schema, parent);
  const path = [...parent, key];
  if (object !== undefined && plannedKeys.get(object)?.includes(key)) {
    return { code: 'not-implemented', message: `key ${quoted(key)} is not implemented yet`, path, at: 'key', unusable: path };
  }
  const [suggestion] = nearest(key, Object.keys(object?.shape ?? {}), 1);
  return {
    code: 'key-unknown',
    message: `unknown key ${quoted(key)}`,
    path,
    at: 'key',
    unusable: path,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function badName(issue: Issue & { readonly code: 'invalid_key' }, path: DocumentPath): SchemaFinding {
  const name = String(path.at(-1));
  const tooLong = issue.issues.every(({ code }) => code === 'too_big');
  return { code: 'name-invalid', message: nameProblem(name, tooLong), path, at: 'key', unusable: undefined };
}

function nameProblem(name: string, tooLong: boolean): string {
  if (tooLong) return `name ${quoted(name)} is longer than 63 characters`;
  return `${quoted(name)} is not a name: lower-case letters and digits, in words joined by single "-"`;
}

const secretKeys: readonly unknown[] = ['secret', 'dockerConfig'];

/** What stands where the name of a secret should be may be the secret itself, and is not repeated. */
function secretProblem(path: DocumentPath): string | undefined {
  if (!secretKeys.includes(path.at(-1))) return undefined;
  return `${subjectOf(path)} is not the name of a secret: lower-case letters and digits, in words joined by single "-"`;
}

/** The schema does not look behind a key that it refuses; a reader wants to know all at once. */
function valueBehindBadName(path: DocumentPath, { schema, data }: Place): SchemaFinding[] {
  const behind = recordValueAt(schema, path.slice(0, -1));
  const result = behind?.safeParse(valueAt(data, path));
  if (result === undefined || result.success) return [];
  return result.error.issues.flatMap((issue) => findingsOf(issue, { schema, data, base: path }));
}

/** The member of a union that was meant: the one whose complaints lie deepest. */
function intendedMember(issue: Issue & { readonly code: 'invalid_union' }): readonly Issue[] {
  const inside = issue.errors.find((issues) => issues.every(({ path }) => path.length > 0 || isAboutKeys(issues)));
  const chosen = inside ?? issue.errors.find((issues) => issues.some(({ code }) => code === 'invalid_value')) ?? issue.errors[0] ?? [];
  return chosen;
}

function isAboutKeys(issues: readonly Issue[]): boolean {
  return issues.some(({ code }) => code === 'unrecognized_keys' || code === 'too_small' || code === 'too_big');
}

function customFinding(issue: Issue & { readonly code: 'custom' }, path: DocumentPath): SchemaFinding {
  const { diagnostic, suggestion, at } = (issue.params ?? {}) as { diagnostic?: unknown; suggestion?: unknown; at?: unknown };
  return {
    code: isDiagnosticCode(diagnostic) ? diagnostic : 'value-invalid',
    message: `${subjectOf(path)} ${issue.message}`,
    path,
    unusable: path,
    ...(at === 'key' ? { at } : {}),
    ...(typeof suggestion === 'string' ? { suggestion } : {}),
  };
}

function isDiagnosticCode(word: unknown): word is DiagnosticCode {
  return (diagnosticCodes as readonly unknown[]).includes(word);
}

function plainFinding(issue: Issue, path: DocumentPath, value: unknown): SchemaFinding {
  const subject = subjectOf(path);
  if (value === undefined) {
    return {
      code: 'key-missing',
      message: `key ${quoted(String(path.at(-1)))} is missing`,
      path: path.slice(0, -1),
      at: 'key',
      unusable: undefined,
    };
  }
  const base = { path, unusable: path, code: 'value-invalid' as const };
  switch (issue.code) {
    case 'invalid_type':
      return { ...base, message: `${subject} must be ${article(issue.expected)}, not ${kindOf(value)}${emptyHint(issue.expected, value)}` };
    case 'invalid_value':
      return invalidValue(issue, base, value);
    case 'invalid_format':
      return {
        ...base,
        code: 'name-invalid',
        message: secretProblem(path) ?? nameProblem(typeof value === 'string' ? value : '', false),
      };
    case 'too_small':
      return { ...base, message: `${subject} must ${sized(issue.origin, `at least ${issue.minimum}`)}` };
    case 'too_big':
      return { ...base, message: `${subject} must ${sized(issue.origin, `at most ${issue.maximum}`)}` };
    default:
      return { ...base, message: `${subject} is not valid` };
  }
}

function invalidValue(
  issue: Issue & { readonly code: 'invalid_value' },
  base: Omit<SchemaFinding, 'message'>,
  value: unknown,
): SchemaFinding {
  const words = issue.values.map(String);
  const shown = typeof value === 'string' ? quoted(value) : kindOf(value);
  const [suggestion] = typeof value === 'string' ? nearest(value, words, 1) : [];
  const message = `${subjectOf(base.path)} must be ${words.length === 1 ? (words[0] ?? '') : `one of ${listed(words)}`}, not ${shown}`;
  return { ...base, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function sized(origin: string, bound: string): string {
  if (origin === 'array') return `have ${bound} entries`;
  return origin === 'string' ? `have ${bound} characters` : `be ${bound}`;
}

/** The key that a value belongs to, also when the value is an item of its list. */
function subjectOf(path: DocumentPath): string {
  const key = path.findLast((part) => typeof part === 'string');
  if (key === undefined) return 'the topology';
  return typeof path.at(-1) === 'number' ? `an entry of ${quoted(key)}` : quoted(key);
}

const kinds: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function article(expected: string): string {
  return kinds[expected] ?? expected;
}

/** `us:` with nothing behind it is what newcomers write for an empty mapping. */
function emptyHint(expected: string, value: unknown): string {
  return value === null && (expected === 'object' || expected === 'record') ? '; write {} for none' : '';
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean') return String(value);
  return kinds[typeof value] ?? 'that';
}

function valueAt(data: unknown, path: DocumentPath): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
