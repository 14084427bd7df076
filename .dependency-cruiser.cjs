/**
 * The directions of the layout: which folder may import what. A folder may always import itself and src/errors.
 * `ours`: paths of this repository; `types`: paths of which only types; `packages`: npm packages; `node`: built-ins.
 */
const PORTS = ['src/vault/(port|secret|codec)\\.ts', 'src/registry/contract\\.ts', 'src/client/contract\\.ts'];
/** What is pure there, contracts and functions; a rule of its own keeps the parts that open sockets or files away. */
const WIRE = ['src/oauth/', 'src/providers/'];

const LAYERS = {
  'src/connection/': { ours: [], packages: [], node: false },
  'workflows/': { ours: ['src/connection/'], types: ['activities/'], packages: ['@temporalio/workflow'], node: false },
  'src/flow/': { ours: ['src/connection/'], types: ['activities/'], packages: ['@temporalio/workflow'], node: false },
  'activities/': {
    ours: [
      'src/connection/',
      'src/client/call-api\\.ts',
      'src/envelope\\.ts',
      'src/fingerprint\\.ts',
      ...WIRE,
      ...PORTS,
    ],
    packages: ['@temporalio/(activity|common|client)', 'axios', 'zod'],
  },
  'src/oauth/': {
    ours: ['src/connection/', 'src/providers/', 'src/vault/secret\\.ts'],
    packages: ['axios', 'zod', 'jose', 'request-filtering-agent'],
  },
  'src/providers/': {
    ours: ['src/connection/'],
    types: ['src/oauth/contract\\.ts', 'src/vault/secret\\.ts'],
    packages: ['zod'],
  },
  'src/vault/': { ours: ['src/connection/'], packages: ['@aws-sdk/client-secrets-manager', 'lru-cache', 'pg', 'zod'] },
  'src/registry/': { ours: ['src/connection/', 'src/providers/preset\\.ts'], packages: ['kysely', 'pg', 'lru-cache'] },
  'src/client/': {
    ours: ['src/connection/', 'src/envelope\\.ts', ...WIRE, ...PORTS],
    types: ['src/fingerprint\\.ts'],
    packages: ['@temporalio/(client|common)', 'lru-cache', 'jose'],
  },
  'src/components/': { ours: ['src/connection/'], packages: ['zod', 'axios'] },
  'src/http/': {
    ours: ['src/client/', 'src/components/', 'src/connection/', 'src/registry/', 'src/vault/secret\\.ts', ...WIRE],
    packages: ['fastify', 'fastify-type-provider-zod', '@fastify/[^/]+', 'zod', 'pino'],
  },
  'src/console/': { ours: [], types: ['src/http/'], packages: [] },
  'src/cli/': {
    ours: [
      'src/(client|components|connection|http|vault|registry)/',
      ...WIRE,
      'src/(compose|config|open-vault|plugin|workers|housekeeping|metrics)\\.ts',
    ],
    packages: [
      'commander',
      'pino',
      'pg',
      'axios',
      '@temporalio/(client|worker|common|envconfig)',
      '@electric-sql/[^/]+',
    ],
  },
  'src/testing/': {
    ours: ['src/connection/', 'src/flow/', 'src/vault/(conformance|memory)\\.ts', ...WIRE, ...PORTS],
    types: ['activities/'],
    packages: ['@temporalio/common'],
  },
  'src/errors\\.ts': { ours: [], packages: [], node: false },
  'src/envelope\\.ts': { ours: ['src/vault/secret\\.ts'], packages: ['jose', 'lru-cache'] },
  'src/envelope-keys\\.ts': { ours: ['src/connection/', 'src/envelope\\.ts', ...PORTS], packages: ['jose'] },
  'src/fingerprint\\.ts': { ours: ['src/connection/', ...PORTS], packages: [] },
  'src/config\\.ts': { ours: ['src/connection/', 'src/vault/(secret|key-ring)\\.ts'], packages: ['zod'] },
  'src/metrics\\.ts': { ours: [], packages: ['prom-client'] },
};

/** Only compose hands these out, behind their ports: a vault driver, the client that opens sockets, the SQL. */
const HANDED_OUT = [
  { by: 'src/oauth/guarded-client', not: '^(activities|workflows|src/(client|flow|connection|http|components))/' },
  {
    by: 'src/vault/(directory|aws|postgres|openbao)',
    not: '^(activities|workflows|src/(client|flow|connection|http|oauth|registry))/',
  },
  { by: 'src/registry/database', not: '^(activities|workflows|src/(client|flow|connection|oauth|vault))/' },
];

const anyOf = (patterns) => patterns.map((pattern) => `^${pattern}`);

function rulesOf([folder, { ours, types = [], packages, node = true }]) {
  const from = { path: `^${folder}` };
  const own = [folder, 'src/errors', ...ours];
  return [
    {
      name: `${folder} imports only its neighbours`,
      severity: 'error',
      from,
      to: {
        path: '^(src|workflows|activities|test|demo|bench|examples|scripts|assets)/',
        pathNot: anyOf([...own, ...types]),
      },
    },
    ...types.map((path) => ({
      name: `${folder} takes only types of ${path}`,
      severity: 'error',
      from,
      to: { path: `^${path}`, dependencyTypesNot: ['type-only'] },
    })),
    {
      name: `${folder} imports only its packages`,
      severity: 'error',
      from,
      to: {
        path: '(^|/)node_modules/',
        ...(packages.length > 0 && { pathNot: packages.map((name) => `(^|/)node_modules/(@types/)?${name}/`) }),
      },
    },
    ...(node
      ? []
      : [{ name: `${folder} imports no built-in`, severity: 'error', from, to: { dependencyTypes: ['core'] } }]),
  ];
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(LAYERS).flatMap(rulesOf),
    ...HANDED_OUT.map(({ by, not }) => ({
      name: `${by} comes from compose`,
      severity: 'error',
      from: { path: not },
      to: { path: `^${by}`, reachable: true },
    })),
    { name: 'no cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no orphan', severity: 'error', from: { orphan: true, pathNot: ['\\.d\\.ts$', '^examples/'] }, to: {} },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared',
      severity: 'error',
      from: { path: '^(src|workflows|activities)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no development package in what is published',
      severity: 'error',
      from: { path: '^(src|workflows|activities)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'] },
    },
    {
      name: 'what is published imports nothing of the repository only',
      severity: 'error',
      from: { path: '^(src|workflows|activities)/' },
      to: { path: '^(test|demo|bench|examples|scripts)/' },
    },
    {
      name: 'only the doors, the processes and the command line know compose',
      severity: 'error',
      from: { path: '^(src|workflows|activities)/', pathNot: '^src/(cli/|compose|index|plugin|workers|housekeeping)' },
      to: { path: '^src/compose' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
