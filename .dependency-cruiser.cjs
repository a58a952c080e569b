// The house of DESIGN.md as rules: which room (folder of src/) may import which. A room that is not in the table is an
// error until it has a line.

const MAY_IMPORT = {
  tensor: [],
  nn: ['tensor'],
  models: ['nn', 'tensor'],
  image: [],
  data: ['image', 'infer'], // infer: one way to decode, for training and prediction
  ssl: ['tensor', 'nn'],
  config: ['ssl', 'image', 'data'], // their options and names
  runs: [],
  train: ['tensor', 'nn', 'models', 'image', 'data', 'ssl', 'config', 'runs'],
  export: ['models', 'ssl', 'tensor', 'train', 'data', 'image', 'runs', 'infer'],
  report: ['tensor', 'data', 'runs', 'train'],
  infer: ['image'],
  serve: ['infer', 'runs'], // runs: the version
  cli: ['.+'],
};

/** Rooms whose types may be named without anything of them being run. */
const MAY_IMPORT_TYPES = {
  ssl: ['models'],
  runs: ['config'],
};

const TESTS = '\\.test\\.ts$';
const anyOf = (names) => `(${names.join('|')})`;

/** Tests may put rooms together; everything may throw errors of `src/errors.ts`. */
const roomRules = Object.entries(MAY_IMPORT).flatMap(([room, others]) => {
  const types = MAY_IMPORT_TYPES[room] ?? [];
  const rule = (name, pathNot, extra) => ({
    name,
    severity: 'error',
    from: { path: `^src/${room}/`, pathNot: TESTS },
    to: { path: '^src/', pathNot: ['^src/errors\\.ts$', `^src/${anyOf(pathNot)}/`], ...extra },
  });
  return [
    rule(`${room}-imports-only-${others.join('-') || 'itself'}`, [room, ...others, ...types]),
    ...types.map((other) => ({
      ...rule(`${room}-imports-only-types-of-${other}`, [], {}),
      to: { path: `^src/${other}/`, dependencyTypesNot: ['type-only'] },
    })),
  ];
});

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'every-room-is-in-the-table',
      comment: 'Only the entry points and errors.ts lie in src/ itself.',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: `^src/${anyOf(Object.keys(MAY_IMPORT))}/` },
    },
    {
      name: 'browsers-have-no-node',
      comment: 'What lies in src/infer itself and in src/image runs in Node and in a browser alike.',
      severity: 'error',
      from: { path: '^src/(image/|infer/browser/|infer/[^/]+$)', pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-cycles',
      comment: 'Types may refer to each other; what runs may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-import-of-tests',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { path: TESTS },
    },
    {
      name: 'parity-data-only-in-parity-tests',
      comment: '`npm run test:parity` is all tests that read the parity folder: name yours *.parity.test.ts.',
      severity: 'error',
      from: { pathNot: '\\.parity\\.test\\.ts$' },
      to: { path: '^test/support/(parity|published-networks)\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-development-dependencies',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
        pathNot: 'node_modules/@types/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true, // sees imports of types as well
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
