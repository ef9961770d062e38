import { defineConfig } from 'prisma/config';

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // For `npm run prisma -- migrate …` only; generating the client asks for no database.
  datasource: { url: process.env['DATABASE_URL'] ?? '' },
});
