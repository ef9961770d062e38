import { v7 } from 'uuid';

/** Makes ids that sort by the time they were made (UUID version 7, RFC 9562 section 5.7). */
export interface IdSource {
  next(): string;
}

export const uuidV7: IdSource = { next: () => v7() };
