import { discardRunFolder } from './run-folder.mjs';

/** Jest calls this after every run, failed ones too; what a killed run leaves, the next one discards. */
export default async function globalTeardown() {
  const folder = process.env.WAYBILL_TEST_RUN_FOLDER;
  if (folder !== undefined) await discardRunFolder(folder);
}
