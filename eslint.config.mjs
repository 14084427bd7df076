import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';

const PLAIN_JAVASCRIPT = ['**/*.{js,cjs,mjs}'];
const OURS = ['src/**/*.ts', 'workflows/**/*.ts', 'activities/**/*.ts'];
/** Code that runs in Temporal's sandbox, or is bundled with code that does. */
const SANDBOX = ['src/connection/**/*.ts', 'src/flow/**/*.ts', 'workflows/**/*.ts'];
/** Code that touches foreign errors, which may hold a request with its credentials. */
const NO_CAUSE = ['activities/**/*.ts', 'src/vault/**/*.ts', 'src/registry/**/*.ts', 'src/oauth/**/*.ts'];

const BUILT_INS = builtinModules.filter((name) => !name.startsWith('_')).join('|');

const forbiddenSyntax = [
  { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
  { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
  { selector: 'TSParameterProperty', message: 'Declare the field and assign it.' },
  { selector: 'TSExportAssignment', message: 'Export by name.' },
];

const CAUSE = 'A foreign error must not leave as a cause: throw a code and non-secret coordinates.';
const forbiddenCause = [
  {
    selector:
      ':matches(NewExpression, CallExpression)[callee.name=/(Error|Failure)$/] > ObjectExpression > Property[key.name="cause"]',
    message: CAUSE,
  },
  {
    selector: 'CallExpression[callee.object.name=/Failure$/] > ObjectExpression > Property[key.name="cause"]',
    message: CAUSE,
  },
  { selector: 'CallExpression[callee.object.name=/Failure$/][callee.property.name="fromError"]', message: CAUSE },
  { selector: 'NewExpression[callee.name="ApplicationFailure"][arguments.length>4]', message: CAUSE },
  { selector: 'AssignmentExpression[left.property.name="cause"]', message: CAUSE },
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', '.durable-oauth/', 'assets/'] },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'no-var': 'error',
      'no-console': 'off',
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }],
      'max-lines': ['error', 400],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A port's method is asynchronous whether or not this implementation of it waits for anything.
      '@typescript-eslint/require-await': 'off',
      // Ports are spelled as methods and implemented by plain objects without `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', ...forbiddenSyntax],
    },
  },
  { files: OURS, rules: { '@typescript-eslint/explicit-module-boundary-types': 'error', 'no-console': 'error' } },
  { files: ['src/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: SANDBOX,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: `^(node:|(${BUILT_INS})(/|$))`, message: 'The sandbox has no Node.' },
            {
              regex: '^(?!\\.{1,2}/|@temporalio/workflow$)',
              message: 'Only @temporalio/workflow and our own pure modules.',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'fetch', 'require', '__dirname', '__filename', 'global'],
    },
  },
  {
    files: ['src/connection/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!\\.{1,2}/)', message: 'src/connection is pure: no packages.' }] },
      ],
    },
  },
  { files: ['workflows/**/*.ts'], rules: { 'max-lines': ['error', 150] } },
  // Tables: reasons in every language, payloads of all messages, the catalogue's rows.
  {
    files: ['src/connection/reasons*.ts', 'src/connection/messages.ts', 'src/providers/catalogue*.ts'],
    rules: { 'max-lines': 'off' },
  },
  { files: NO_CAUSE, rules: { 'no-restricted-syntax': ['error', ...forbiddenSyntax, ...forbiddenCause] } },
  {
    files: ['test/**/*.ts', 'demo/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: PLAIN_JAVASCRIPT,
    languageOptions: { ecmaVersion: 2023 },
    rules: {
      'no-unused-vars': ['error', { caughtErrors: 'none' }],
      'no-unreachable': 'error',
      'no-dupe-keys': 'error',
    },
  },
  { files: ['**/*.{js,cjs}'], languageOptions: { sourceType: 'commonjs' } },
);
