const begin = '<!-- configuration: made from the schemas that read the variables; test/readme.spec.ts compares -->';
const end = '<!-- /configuration -->';

/**
 * The README with its table of environment variables made anew.
 *
 * @param {string} readme
 * @param {readonly import('@waybill/config').VariableDescription[]} variables
 */
export function withConfigurationTable(readme, variables) {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error('README.md has lost the markers of its configuration table');
  const rows = variables.map(
    ({ name, readBy, meaning, default: fallback }) => `| \`${name}\` | ${readBy} | ${cell(meaning)} | ${cell(fallback)} |`,
  );
  const table = ['| variable | read by | meaning | when unset |', '| --- | --- | --- | --- |', ...rows].join('\n');
  return `${readme.slice(0, from + begin.length)}\n\n${table}\n\n${readme.slice(to)}`;
}

/** @param {string} text */
function cell(text) {
  return text.replaceAll('|', '\\|');
}
