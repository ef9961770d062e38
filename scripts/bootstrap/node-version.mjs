const OLDEST_MAJOR = 20;
const OLDEST_MINOR = 19;

/**
 * Says why this Node cannot run Waybill; `undefined` when it can.
 *
 * @param {string} version e.g. `20.19.0`
 * @returns {string | undefined}
 */
export function nodeVersionProblem(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST_MAJOR || (major === OLDEST_MAJOR && minor >= OLDEST_MINOR)) return undefined;
  return `Waybill needs Node ${OLDEST_MAJOR}.${OLDEST_MINOR} or newer; this is ${version}. Install Node 24 (https://nodejs.org) and run the command again.`;
}
