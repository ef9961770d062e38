/**
 * The code that the operating system gave, e.g. `ENOENT`; `undefined` for any other error.
 * Asks for the property and not for the class: errors of Node's own modules belong to another
 * realm when the code runs in a VM context.
 */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The error's own words. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
