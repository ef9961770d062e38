import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { waybill } from './tools/lint/plugin.mjs';

const TYPESCRIPT = ['**/*.ts'];
const TESTS = ['**/*.spec.ts', 'test/**', 'libs/testing/**'];

export default tseslint.config(
  { ignores: ['**/dist/', '**/node_modules/', 'coverage/', '.waybill/', 'libs/persistence/src/generated/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true } },
  js.configs.recommended,
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    // The type checker knows which names exist, in scripts too (`checkJs` in tsconfig.spec.json).
    rules: { 'no-undef': 'off' },
  },
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.spec.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allow: [{ name: ['Error', 'URL', 'URLSearchParams'], from: 'lib' }] },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
      // Nest's modules and tokens are classes without members.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Nest types its options as classes, and takes plain objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // What implements an asynchronous port is asynchronous, whether or not it has to wait today.
      '@typescript-eslint/require-await': 'off',
      // Keys of records from outside are written as the strings they are.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      // `[...text]` is the way to the code points of a string.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
    },
  },
  {
    plugins: { waybill },
    rules: {
      eqeqeq: 'error',
      curly: ['error', 'multi-line'],
      'no-nested-ternary': 'error',
      'no-else-return': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'no-console': 'error',
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      'waybill/no-default-export': 'error',
      'waybill/no-forward-ref': 'error',
      'waybill/no-left-out-test': 'error',
      'waybill/no-new-url': 'error',
      'waybill/no-process-env': 'error',
      'waybill/static-log-message': 'error',
    },
  },
  {
    files: TESTS,
    rules: {
      // A `describe` is one function with all its tests in it.
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
      'waybill/no-new-url': 'off',
      'waybill/static-log-message': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // `expect(port.write).toHaveBeenCalled()` takes a method off its object, and does not call it.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  // Where links enter and are checked.
  {
    files: ['libs/{oci-registry,topology,config,embedded,local-registry,queue,persistence}/**', 'apps/cli/**', 'tools/**'],
    rules: { 'waybill/no-new-url': 'off' },
  },
  {
    files: [
      'libs/config/**',
      'libs/embedded/src/process/spawn-environment.ts',
      'scripts/**',
      'tools/**',
      'bench/**',
      'libs/testing/**',
      'test/**',
      '*.config.ts',
    ],
    rules: { 'waybill/no-process-env': 'off' },
  },
  { files: ['apps/cli/**', 'scripts/**', 'tools/**', 'bench/**', 'deploy/**', 'test/**'], rules: { 'no-console': 'off' } },
  // Five dependencies in a constructor; a factory of a module takes what Nest hands it.
  { files: ['apps/**'], rules: { 'max-params': ['error', 5] } },
  { files: ['apps/**/*.module.ts'], rules: { 'max-params': 'off' } },
  { files: ['libs/testing/src/needs.ts'], rules: { 'waybill/no-left-out-test': 'off' } },
  { files: ['*.config.{mjs,ts}', '*.cjs', 'test/global-*.mjs'], rules: { 'waybill/no-default-export': 'off', 'no-undef': 'off' } },
);
