import { z } from 'zod';

/** Where values come from: `process.env`, or a record in tests. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One environment variable: how it is read, and how it is told to people. */
export interface Variable<T> {
  readonly name: string;
  readonly meaning: string;
  /** What is accepted, as the end of the sentence "expected …". */
  readonly expected: string;
  /** What holds when it is unset, in words; `required` when nothing does. */
  readonly whenUnset: string;
  /** Its value never appears in an error. */
  readonly secret: boolean;
  /** Takes the text of the variable, or `undefined` when unset or empty. */
  readonly schema: z.ZodType<T, string | undefined>;
}

interface Told {
  readonly name: string;
  readonly meaning: string;
}

const required = 'required';
const missing = 'is not set';

/** An integer between two bounds, both included. */
export function integer(told: Told & { readonly min: number; readonly max: number; readonly fallback: number }): Variable<number> {
  const { min, max, fallback } = told;
  return {
    ...describe(told, `an integer from ${min} to ${max}`, String(fallback)),
    schema: z
      .string()
      .regex(/^\d{1,15}$/, 'is not a plain decimal integer')
      .transform(Number)
      .refine((value) => value >= min && value <= max, 'is out of bounds')
      .or(z.undefined().transform(() => fallback)),
  };
}

/** One word out of a closed list. */
export function choice<const T extends string>(told: Told & { readonly of: readonly T[]; readonly fallback: T }): Variable<T> {
  return {
    ...describe(told, `one of ${told.of.join(', ')}`, told.fallback),
    schema: z.enum(told.of, { error: 'is not one of the known words' }).or(z.undefined().transform(() => told.fallback)),
  };
}

/** `1` or `0`; nothing else, so that `false` is never read as true. */
export function flag(told: Told): Variable<boolean> {
  return {
    ...describe(told, '1 or 0', '0'),
    schema: z
      .enum(['0', '1'], { error: 'is neither 1 nor 0' })
      .transform((value) => value === '1')
      .or(z.undefined().transform(() => false)),
  };
}

/** A text that matches a pattern. */
export function text(told: Told & { readonly pattern: RegExp; readonly expected: string; readonly fallback: string }): Variable<string> {
  return {
    ...describe(told, told.expected, told.fallback),
    schema: z
      .string()
      .regex(told.pattern, 'is malformed')
      .or(z.undefined().transform(() => told.fallback)),
  };
}

/** A text that may be absent. */
export function optionalText(
  told: Told & { readonly pattern: RegExp; readonly expected: string; readonly whenUnset: string; readonly secret?: boolean },
): Variable<string | undefined> {
  return {
    ...describe(told, told.expected, told.whenUnset, told.secret),
    schema: z.string().regex(told.pattern, 'is malformed').or(z.undefined()),
  };
}

interface UrlOptions extends Told {
  /** With colon, as the WHATWG URL standard writes `URL.protocol`. */
  readonly schemes: readonly string[];
}

/** A URL with one of the schemes. URLs may hold a password, so their values are never quoted. */
export function url(told: UrlOptions): Variable<string> {
  return {
    ...describe(told, `a URL that starts with ${schemesInWords(told.schemes)}`, required, true),
    schema: z.string({ error: missing }).pipe(urlOf(told.schemes)),
  };
}

/** A URL that may be absent. */
export function optionalUrl(told: UrlOptions & { readonly whenUnset: string }): Variable<string | undefined> {
  return {
    ...describe(told, `a URL that starts with ${schemesInWords(told.schemes)}`, told.whenUnset, true),
    schema: urlOf(told.schemes).or(z.undefined()),
  };
}

/** `all`, or a comma-separated list of names without repetition. */
export function allOrNames(told: Told & { readonly of: string }): Variable<'all' | readonly string[]> {
  return {
    ...describe(told, `all, or ${told.of} separated by commas (lower-case letters, digits, single hyphens)`, 'all'),
    schema: z
      .string()
      .transform((value) => (value.trim() === 'all' ? ('all' as const) : value.split(',').map((name) => name.trim())))
      .refine((value) => value === 'all' || value.every((name) => namePattern.test(name)), 'holds a malformed name')
      .refine((value) => value === 'all' || new Set(value).size === value.length, 'names one twice')
      .or(z.undefined().transform(() => 'all' as const)),
  };
}

/** The grammar of names of locations and secrets. */
export const namePattern = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

function describe(told: Told, expected: string, whenUnset: string, secret = false): Omit<Variable<unknown>, 'schema'> {
  return { name: told.name, meaning: told.meaning, expected, whenUnset, secret };
}

function urlOf(schemes: readonly string[]): z.ZodType<string, string> {
  return z
    .string()
    .refine((value) => URL.canParse(value), 'is not a URL')
    .refine((value) => !URL.canParse(value) || schemes.includes(new URL(value).protocol), 'has another scheme');
}

function schemesInWords(schemes: readonly string[]): string {
  return schemes.map((scheme) => `${scheme}//`).join(' or ');
}
