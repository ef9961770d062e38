/**
 * @typedef {'missing-binaries' | 'lockfile-out-of-step' | 'offline' | 'cache-not-writable' | 'no-space' | 'not-found' | 'other'} NpmFailure
 */

/** @type {readonly (readonly [NpmFailure, RegExp])[]} in the order in which they are looked for */
const SIGNS = [
  ['no-space', /\bENOSPC\b/],
  ['offline', /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b/],
  // npm says so itself when files of its cache belong to another user.
  ['cache-not-writable', /(EACCES|EPERM)[\s\S]*(_cacache|_logs|cache folder)/],
  // A lockfile names the binaries of every platform; some registries carry only those of their own.
  ['missing-binaries', /\b(E404|ETARGET)\b|404 Not Found/],
  ['lockfile-out-of-step', /npm ci.{0,80}can only install packages when/],
  ['not-found', /spawn .*npm.* ENOENT/],
];

/**
 * What a failed `npm ci` or `npm install` died of, told from its output.
 *
 * @param {string} output
 * @returns {NpmFailure}
 */
export function classifyNpmFailure(output) {
  return SIGNS.find(([, sign]) => sign.test(output))?.[0] ?? 'other';
}

/**
 * Whether `npm install` may succeed where `npm ci` failed.
 *
 * @param {NpmFailure} failure
 * @returns {boolean}
 */
export function isWorthInstall(failure) {
  return failure === 'missing-binaries' || failure === 'lockfile-out-of-step';
}

/** @type {Record<NpmFailure, string>} */
export const adviceFor = {
  'missing-binaries': 'The package registry does not carry a package that is needed here. Look at `npm config get registry`.',
  'lockfile-out-of-step': 'package.json and package-lock.json differ. Run `npm install` and commit the lockfile.',
  offline:
    'The package registry cannot be reached. Look at the network, the proxy settings and `npm config get registry`, then run the command again.',
  'cache-not-writable': "npm's cache belongs to another user. Run with npm_config_cache set to a folder of your own.",
  'no-space': 'The disk is full.',
  'not-found': 'npm was not found. It comes with Node: install Node 24 (https://nodejs.org).',
  other: 'npm could not install the dependencies.',
};
