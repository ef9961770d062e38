/** Why a manifest's time of creation is nothing to go by; `unread`: the config that says it was not read. */
export type CreatedProblem = 'missing' | 'invalid' | 'epoch' | 'future' | 'unread';

export type CreationTime = { readonly at: Date; readonly problem?: never } | { readonly at?: never; readonly problem: CreatedProblem };

/** RFC 3339, as image-spec v1.1.1 demands of `created` and of `org.opencontainers.image.created`. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,12})?(?:[Zz]|[+-]\d{2}:\d{2})$/;
/** Reproducible builds say the epoch, the year 1 or the beginning of FAT and ZIP, 1980: no image is older than containers are. */
const oldest = Date.UTC(2000, 0, 1);
/** Clocks differ, but not by a day. */
const futureMs = 24 * 60 * 60 * 1_000;

/** When something says that it was created, as far as that can be true. */
export function creationTime(text: string | undefined, now: Date): CreationTime {
  if (text === undefined || text === '') return { problem: 'missing' };
  const at = rfc3339.test(text) ? Date.parse(text.replace(' ', 'T').toUpperCase()) : Number.NaN;
  if (Number.isNaN(at)) return { problem: 'invalid' };
  if (at < oldest) return { problem: 'epoch' };
  return at > now.getTime() + futureMs ? { problem: 'future' } : { at: new Date(at) };
}
