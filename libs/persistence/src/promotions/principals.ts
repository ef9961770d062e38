import type { Database } from '../database.js';

/** Who somebody is, for people. */
export interface NamedPrincipal {
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
}

/** One more would not help anybody to choose. */
const maxFound = 5;

/** Principals by their names. */
export class Principals {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Those that `name` may mean, as subject or as `issuer/subject`; at most 5. */
  async named(name: string): Promise<NamedPrincipal[]> {
    // An issuer is mostly an address, and a subject may hold slashes as well: every part after one may be the subject.
    const parts = name.split('/');
    const subjects = parts.map((_part, index) => parts.slice(index).join('/'));
    return await this.#database.tables.$queryRaw<NamedPrincipal[]>`
      SELECT id, issuer, subject FROM principal
      WHERE subject = ANY(${subjects}::text[]) AND (subject = ${name} OR issuer || '/' || subject = ${name})
      ORDER BY issuer, subject LIMIT ${maxFound}`;
  }

  /** What principals are called, by id: their name as long as it is kept, else their subject. Unknown ids are left out. */
  async namesOf(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    if (ids.size === 0) return new Map();
    const rows = await this.#database.tables.principal.findMany({
      where: { id: { in: [...ids] } },
      select: { id: true, subject: true, name: { select: { displayName: true } } },
    });
    return new Map(rows.map(({ id, subject, name }) => [id, name?.displayName ?? subject]));
  }
}
