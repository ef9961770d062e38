/**
 * The target of the `rel="next"` entry of a `Link` header (RFC 8288, section 3), as written.
 * Undefined when there is none: the page is the last.
 */
export function nextLink(header: string): string | undefined {
  for (const [, target, parameters] of header.matchAll(/<([^<>]*)>((?:\s*;\s*[\w-]+\s*(?:=\s*(?:"[^"]*"|[^\s",;]+))?)*)/g)) {
    if (/;\s*rel\s*=\s*(?:next|"(?:[^"]*\s)?next(?:\s[^"]*)?")\s*(?:;|$)/i.test(parameters ?? '')) return target;
  }
  return undefined;
}
