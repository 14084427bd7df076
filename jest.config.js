// Types are checked by `npm run check`; here swc only strips them. jose and request-filtering-agent are ES modules, which
// Jest on Node 20 cannot require untransformed.
const esm = ['jose', 'request-filtering-agent', 'ipaddr.js'];

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/run-folder.cjs',
  // Legs need parts that `npm run test:all` starts.
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.LEGS === 'on' ? [] : ['/test/legs/'])],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  transform: {
    '^.+\\.(ts|m?js)$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esm.join('|')})/)`],
  // Loaded when it is configured, by `import()`, which names the built file.
  moduleNameMapper: { '^\\./vault/(aws-secrets-manager|postgres-sealed)\\.js$': '<rootDir>/src/vault/$1.ts' },
  testTimeout: 60_000,
  maxWorkers: 2,
};
