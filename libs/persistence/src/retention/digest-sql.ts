import { Prisma } from '../generated/client.js';

/**
 * What `digest_text` says, written out: PostgreSQL inlines no strict function whose body is a CASE, and a call for each
 * blob of a repository takes longer than all the rest.
 */
export function digestSql(column: 'c.digest' | 'e.parent' | 'm.subject' | 'p.digest'): Prisma.Sql {
  const hash = Prisma.raw(column);
  return Prisma.sql`(CASE octet_length(${hash}) WHEN 32 THEN 'sha256:' ELSE 'sha512:' END || encode(${hash}, 'hex'))`;
}
