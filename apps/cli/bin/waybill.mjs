#!/usr/bin/env node
// Committed, so that npm can link the command at install time, before anything is built.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('waybill is not built yet: run `npm start` or `npm run build` in the repository first.');
  process.exitCode = 1;
}
