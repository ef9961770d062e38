/** What stands where a secret stood. */
export const redacted = '[redacted]';

/** Keys whose value is a secret whatever it looks like; compared in lower case without punctuation. */
const secretKeys = new Set(['auth', 'bearer', 'jwt', 'key', 'pass', 'pwd', 'sig', 'signature']);

/** Ends of such keys, so that `x-registry-auth`'s kin (`refreshToken`, `Set-Cookie`, `proxy-authorization`) are caught too. */
const secretKeyEnds =
  /(?:authorization|registryauth|password|passwd|passphrase|secrets?|tokens?|apikeys?|privatekey|secretkey|accesskey|cookies?|credentials?|uploadlocation|uploadurl|sessionurl)$/;

/** Secrets that give themselves away, each with what is left of it. Repetitions before a word are bounded, so that no text is slow. */
const secretPatterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, redacted],
  // Keys of the API.
  [/wb_[\w.~+/=-]+/g, `wb_${redacted}`],
  // RFC 9110 section 11.4: scheme, blanks, token68 or parameters; RFC 7617 and 6750 are the two that carry secrets.
  [/\b(basic|bearer)(?:\s|%20|\+)+[\w.~+/=-]+/gi, `$1 ${redacted}`],
  // RFC 7519: a signed token begins with `{"` in base64url.
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*/g, redacted],
  // RFC 3986 section 3.2.1: user information of a URL, up to the last `@` before the path.
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>]*@/gi, `$1${redacted}@`],
  // Upload sessions (distribution-spec v1.1.1): whoever has the URL may write to the upload.
  [/(\/blobs\/uploads\/)[^\s"'<>]+/g, `$1${redacted}`],
  // Parameters of pre-signed URLs and of forms.
  [/([?&](?:[\w-]{0,40}(?:token|signature|credential|password|secret|api_?key)|sig|_state|key)=)[^\s&"'<>]*/gi, `$1${redacted}`],
  // `password=…`, `"password": "…"`, `token: …` inside a sentence.
  [
    /\b((?:[\w-]{0,40}[_-])?(?:password|passwd|secret|token|api[_-]?key)["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&"'}]+)/gi,
    `$1${redacted}`,
  ],
];

/** Takes the secrets out of a text that is for people: a message, a stack, a URL. */
export function redactText(text: string): string {
  return secretPatterns.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

/** Takes the secrets out of a value that came from JSON: by key at any depth, and out of every text. */
export function redactValue(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map((entry, index) => (follows(value, index) ? hide(entry) : redactValue(entry)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [redactText(key), isSecretKey(key) ? hide(member) : redactValue(member)]);
  return Object.fromEntries(entries) as unknown;
}

/** Takes the secrets out of one line of JSON; a line that is none is treated as text. */
export function redactLine(line: string): string {
  try {
    return `${JSON.stringify(redactValue(JSON.parse(line)))}\n`;
  } catch {
    return `${redactText(line.trimEnd())}\n`;
  }
}

function isSecretKey(key: string): boolean {
  const bare = key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return secretKeys.has(bare) || secretKeyEnds.test(bare);
}

/** Absence and yes or no are facts, not secrets. */
function hide(value: unknown): unknown {
  return value === null || typeof value === 'boolean' ? value : redacted;
}

/** Node's `rawHeaders` is a flat list of names and values. */
function follows(list: readonly unknown[], index: number): boolean {
  const name = index % 2 === 1 ? list[index - 1] : undefined;
  return typeof name === 'string' && isSecretKey(name);
}
