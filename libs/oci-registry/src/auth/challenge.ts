/** One way in which a server lets itself be convinced (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** By their names in lower case; of a name said twice, the first counts. */
  readonly params: ReadonlyMap<string, string>;
}

const longestHeader = 8 * 1024;
const mostChallenges = 8;
const mostParams = 16;

const separators = /[\s,]*/y;
const scheme = /([!#$%&'*+.^_`|~\w-]+)(?=[\s,]|$)(?!\s*=)[ \t]*/y;
const parameter = /([!#$%&'*+.^_`|~\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))(?=[\s,]|$)/y;
const token68 = /[\w.~+/-]+=*(?=[\s,]|$)/y;

/**
 * Reads a `WWW-Authenticate` header, in which Node joins several to one. What does not parse ends the
 * reading: whatever came before it counts. Values without quotes are taken as far as they go, since
 * some servers do not quote addresses.
 */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  if (header === undefined || header.length > longestHeader) return [];
  const found: { scheme: string; params: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(header) ?? undefined;
    if (match !== undefined) at = pattern.lastIndex;
    return match;
  };

  take(separators);
  while (at < header.length && found.length < mostChallenges) {
    const name = take(scheme)?.[1];
    if (name === undefined) return found;
    const params = new Map<string, string>();
    found.push({ scheme: name.toLowerCase(), params });
    if (!readParam(take, params)) take(token68);
    for (let more = true; more && params.size < mostParams;) {
      take(separators);
      more = readParam(take, params);
    }
  }
  return found;
}

/** The first challenge of a scheme. */
export function challengeOf(challenges: readonly Challenge[], wanted: 'basic' | 'bearer'): Challenge | undefined {
  return challenges.find((each) => each.scheme === wanted);
}

function readParam(take: (pattern: RegExp) => RegExpExecArray | undefined, params: Map<string, string>): boolean {
  const match = take(parameter);
  if (match === undefined) return false;
  const [, name = '', quoted, bare] = match;
  const key = name.toLowerCase();
  if (!params.has(key)) params.set(key, quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '');
  return true;
}
