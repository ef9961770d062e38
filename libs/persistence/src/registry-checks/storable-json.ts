/** How `JSON.stringify` writes NUL and lone surrogates (ECMA-262, 15th edition, 25.5.2.3 QuoteJSONString). */
const refused = /\\u(?:0000|d[89a-f])/;

/** JSON for PostgreSQL's jsonb, which refuses NUL and lone surrogates: messages quote what registries answer. */
export function storableJson(value: object): string {
  const text = JSON.stringify(value);
  // To look at each part takes several times as long, and next to nothing holds any.
  if (!refused.test(text)) return text;
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? part.replaceAll('\u0000', '').toWellFormed() : part));
}
