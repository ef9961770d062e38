/** JSON for PostgreSQL's jsonb, which refuses NUL and lone surrogates: messages quote what registries answer. */
export function storableJson(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? part.replaceAll('\u0000', '').toWellFormed() : part));
}
