/**
 * @typedef {object} CommandLine
 * @property {readonly string[]} datamodels paths of the schema's files
 * @property {string} url of the database
 * @property {readonly string[]} command empty for the protocol on standard input
 */

const WITH_UNUSED_VALUE = new Set(['--enabled-preview-features', '--extension-types']);

/**
 * The arguments that Prisma's command line gives to its native schema engine.
 *
 * @param {readonly string[]} argv
 * @returns {CommandLine}
 */
export function parseCommandLine(argv) {
  const datamodels = [];
  const command = [];
  let url = '';
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--datamodels') datamodels.push(rest.shift() ?? '');
    else if (argument === '--datasource') url = JSON.parse(rest.shift() ?? '{}').url ?? '';
    else if (WITH_UNUSED_VALUE.has(argument)) rest.shift();
    else command.push(argument);
  }
  return { datamodels, url, command };
}
