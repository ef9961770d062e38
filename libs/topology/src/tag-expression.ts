import { RE2JS, RE2JSException } from 're2js';

/**
 * A path's `tags` expression, in RE2 syntax: it runs in linear time whatever the tag is,
 * so nobody who may edit a topology or push a tag can make Waybill hang.
 */
export type ParsedTagExpression = { readonly ok: true; readonly expression: RE2JS } | { readonly ok: false; readonly problem: string };

const longestExpression = 1000;

/** No tag has one, and a database keeps neither NUL nor half of a surrogate pair. */
const controlCharacter = /[\p{Cc}\p{Cs}]/u;

export function parseTagExpression(source: string): ParsedTagExpression {
  if (source === '') return { ok: false, problem: 'is empty; ".*" admits every tag' };
  if (source.length > longestExpression) return { ok: false, problem: `is longer than ${longestExpression} characters` };
  if (controlCharacter.test(source)) return { ok: false, problem: 'has a control character, which never occurs in a tag' };
  try {
    return { ok: true, expression: RE2JS.compile(source) };
  } catch (error) {
    if (error instanceof RE2JSException) {
      return { ok: false, problem: `is no RE2 expression: ${error.message.replace(/^error parsing regexp: /, '')}` };
    }
    throw error;
  }
}

/** Does the expression match the whole tag, with or without `^` and `$`? */
export function matchesTagExpression(source: string, tag: string): boolean {
  const parsed = parseTagExpression(source);
  return parsed.ok && parsed.expression.matches(tag);
}
