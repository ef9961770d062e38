import path from 'node:path';

/** The folder of the repository. */
export const root = path.resolve(import.meta.dirname, '../..');

/**
 * @param {...string} segments
 * @returns {string} an absolute path inside the repository
 */
export const at = (...segments) => path.join(root, ...segments);

/** State of this checkout; git-ignored and safe to delete, but for the data of `waybill up` in it. */
export const stateDir = at('.waybill');

export const logDir = path.join(stateDir, 'logs');

export const testResultsFile = path.join(stateDir, 'test-results.json');
