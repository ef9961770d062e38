import { problemKinds } from './problems.js';

/** docs/problems.md, from the catalogue. */
export function problemsPage(): string {
  const kinds = Object.entries(problemKinds).map(([code, { status, title, help }]) => `## ${code}\n\n**${status}** ${title}.\n\n${help}\n`);
  return [
    '<!-- Generated from libs/contracts/src/http/problems.ts by `npm run generate:problems`; do not edit. -->\n',
    '# Problems\n',
    'Errors of the API are problem documents (RFC 9457, `application/problem+json`).',
    '`code` is for programs, `detail` and `errors` say what is wrong with this request, `near` proposes what may have been meant.',
    '`instance` holds the id under which the log of the api process speaks of the request.',
    'The API shows this list at `/api/docs/problems`, where `type` leads.\n',
    ...kinds,
  ].join('\n');
}
