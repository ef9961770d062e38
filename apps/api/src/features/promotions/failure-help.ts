const retryWhenMended = 'Mend that, then retry the promotion: what has arrived elsewhere stays.';
const reach = 'See that it runs, has room on its disk and is reached from where the worker stands.';

/** Of one end of a copy, whichever it is. */
const ofFault: Readonly<Record<string, string>> = {
  missing: 'What was promoted is not there any more, or these credentials may not see it: push it again or widen their rights.',
  corrupt: 'It gives other bytes than the digest says: look at its storage, and push the image anew.',
  invalid: 'It refuses this manifest, or gives one that cannot be read: see its answer in the message.',
  incomplete: 'Content beneath the manifest vanished meanwhile, as a garbage collection does: retry, and let none run at the same time.',
  conflict: 'A tag that belongs to the image names something else there: decide which of them is right, and remove the other one.',
  denied: 'Give it credentials that may do this in this repository.',
  unsupported: 'It does not take this, for instance because it is read-only: allow it there, or take it out of the path.',
  'rate-limited': 'It limits what is asked of it: wait, or lower its limits in the topology.',
  unreachable: reach,
  failed: 'It gave an answer that no specification allows: see the message, and the log of the worker.',
};

const ofCode: Readonly<Record<string, string>> = {
  stalled: `It took nothing for too long. ${reach}`,
  'graph-too-large': 'The image has more manifests or descriptors than one promotion may: split it.',
  'tag-immutable': 'The tag holds another image and is not to be moved: promote under another tag.',
  'tag-moved': 'Somebody else writes this tag: find out who, and request the promotion again if it is to replace what is there now.',
  'tag-unconfirmed': 'The tag was perhaps written: retry, which looks before it writes.',
  'prod-not-tagged': 'See what kept the prod from the image: the replica follows when that is retried.',
  'being-deleted':
    'A policy of retention deletes it, so it waits until that is over: where it is gone then, restore it, or promote another.',
  'registry-replaced': 'Request the promotion again: what was accepted meant another registry.',
  'path-removed': 'Declare the path again, or request the promotion along another one.',
  'attempts-exhausted': 'The logs of the workers say what broke every attempt off.',
  cancelled: 'Retry the promotion to take up what is left, or let it be.',
  'hook-failed': 'The log of the worker says what kept it from its own records.',
  unexpected: 'This should not happen: the log of the worker holds the cause, under the id of the promotion.',
};

/** Of a replica, which decides nothing: another tag, or its prod, would not help. */
const ofReplica: Readonly<Record<string, string>> = {
  'tag-immutable':
    'The tag holds another image at this replica: remove the tag there, then request the same promotion again, which leaves what has arrived as it is.',
};

/** What content stores call what a copy calls otherwise; they are heard of where tags are read and written. */
const faultOf: Readonly<Record<string, string>> = {
  'not-found': 'missing',
  'digest-mismatch': 'corrupt',
  'size-mismatch': 'corrupt',
  'manifest-invalid': 'invalid',
  'blob-unknown': 'incomplete',
  unauthorized: 'denied',
  unavailable: 'unreachable',
  timeout: 'unreachable',
  protocol: 'failed',
};

/** What to do about what kept a target from being done, by the code of its error; for a code that is not known, where to look. */
export function helpFor(code: string, { isReplica = false }: { readonly isReplica?: boolean } = {}): string {
  const own = (isReplica ? ofReplica[code] : undefined) ?? ofCode[code];
  if (own !== undefined) return own;
  const fault = code.replace(/^(?:source|target)-/, '');
  const help = ofFault[faultOf[fault] ?? fault];
  return help === undefined ? retryWhenMended : `${code.startsWith('source-') ? 'At the source: ' : ''}${help} ${retryWhenMended}`;
}
