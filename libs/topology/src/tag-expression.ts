import { RE2JS, RE2JSException } from 're2js';

/**
 * A path's `tags` expression, in RE2 syntax: it runs in linear time whatever the tag is,
 * so nobody who may edit a topology or push a tag can make Waybill hang.
 */
export type ParsedTagExpression = { readonly ok: true; readonly expression: RE2JS } | { readonly ok: false; readonly problem: string };

const longestExpression = 1000;

export function parseTagExpression(source: string): ParsedTagExpression {
  if (source === '') return { ok: false, problem: 'is empty; ".*" admits every tag' };
  if (source.length > longestExpression) return { ok: false, problem: `is longer than ${longestExpression} characters` };
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
