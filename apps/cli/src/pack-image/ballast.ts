/** What Node never reads when it runs a program: maps, types, sources of TypeScript and Flow, build leftovers. */
const neverRead = /\.(?:map|tsbuildinfo|flow|d\.[cm]?ts|[cm]?ts|tsx)$/;

/** Parts of a package that are for its developers. Licences stay: they must go where the code goes. */
const developersParts = /^(?:tests?|__tests__|docs?|examples?|benchmarks?|\.github)\/$|\.(?:md|markdown)$/i;
const licence = /licen[cs]e|copying|notice/i;

/** Packages whose files are for another runtime or for the compiler. */
const foreignFiles: Readonly<Record<string, RegExp>> = {
  // Query compilers for other databases, and the twins of ours that only CommonJS loads.
  '@prisma/client': /^runtime\/(?:query_compiler_(?!.*\.postgresql\.)|.*\.wasm-base64\.js$)/,
};
const bareAddon = /^prebuilds\/$/; // for the runtime named Bare; Node has its own

/** Does the program need this file of its build? `path` is relative to a `dist` folder. */
export function isNeededOfBuild(path: string): boolean {
  return !neverRead.test(path);
}

/**
 * Does the program need this file of an installed package? `path` is relative to the package,
 * folders end with `/`. Packages inside packages have entries of their own in the lock file.
 */
export function isNeededOfPackage(name: string, path: string): boolean {
  if (path === 'node_modules/' || neverRead.test(path)) return false;
  if (name.startsWith('bare-') && bareAddon.test(path)) return false;
  if (foreignFiles[name]?.test(path) === true) return false;
  return !developersParts.test(path) || licence.test(path);
}

/** Packages that hold types and nothing that runs. */
export function isTypesOnly(name: string): boolean {
  return name.startsWith('@types/');
}
